import t from '../support/tap.js'
import { run } from './at-the-terminal.js'

const COMMANDS = ['start', 'demo', 'check', 'doctor', 'status', 'events', 'show', 'replay', 'discard', 'release', 'purge', 'pause', 'resume', 'reload', 'send']

t.test('help names every command, on standard output, and ends cleanly', async t => {
  const { code, out, err } = await run(['--help'])
  t.equal(code, 0)
  t.equal(err, '')
  for (const command of COMMANDS) t.match(out, new RegExp(`^  ${command} `, 'm'))
})

for (const command of COMMANDS) {
  t.test(`the help of ${command} has a sentence and an example`, async t => {
    const { code, out } = await run([command, '--help'])
    t.equal(code, 0)
    t.match(out, /^\n?Usage: .*\n\n[A-Z].{20}/)
    t.match(out, new RegExp(`Examples:\n  \\$ fotor-relay ${command}`))
  })
}

t.test('the version is the package\'s', async t => {
  t.strictSame(await run(['--version']), { code: 0, out: '1.2.3\n', err: '' })
})

/** What is typed, and what the answer must say; all end with 2 and print no result. */
const SLIPS: ReadonlyArray<[typed: string, says: RegExp]> = [
  ['', /Usage: fotor-relay/],
  ['repla', /unknown command 'repla'\n\(Did you mean replay\?\)/],
  ['stat', /unknown command 'stat'\n\(Did you mean one of status, start\?\)/],
  ['disc', /unknown command 'disc'\n\(Did you mean discard\?\)/],
  ['xyzzy', /unknown command 'xyzzy'\n(?!\(Did)/],
  ['events --stat failed', /unknown option '--stat'\n\(Did you mean --state\?\)/],
  ['events --limit 0', /--limit.*whole number from 1 to 500/],
  ['events --limit many', /--limit.*whole number from 1 to 500/],
  ['show', /missing required argument 'id'/],
  ['pause a b', /too many arguments/],
  ['start --role both', /Allowed choices are all, ingest, deliver/],
  ['replay', /say what to replay: at least one filter, or --all/],
  ['replay --all --wait 10', /--wait.*no unit.*15s/],
  ['replay --all --rate 0.5', /--rate.*whole number/],
  ['discard', /at least one filter, or --all/],
  ['release', /at least one filter, or --all/],
  ['purge', /--task-id, --business-id or --until/],
  ['send --file a.json --type avatar', /cannot be used with option/],
  ['send --status done', /--status.*whole number/],
  ['send --to http://x --subscriber billing', /cannot be used with option/],
  ['events --url localhost:8081', /does not start with http:\/\/ or https:\/\//]
]
for (const [typed, says] of SLIPS) {
  t.test(`bad usage is explained and ends with 2: ${typed || '(nothing)'}`, async t => {
    const { code, out, err } = await run(typed === '' ? [] : typed.split(' '))
    t.equal(code, 2)
    t.equal(out, '')
    t.match(err, says)
  })
}
