/** What npm runs says how to build when nothing is built, and is otherwise the program itself. */
import { rmSync } from 'node:fs'
import t from '../support/tap.js'
import { makeClone } from './fresh-clone.js'

const RUN = 'build/run.mjs'

for (const [place, says] of [['dist/main.js', 'npm run build'], ['.compiled/test/run/main.js', 'node build/setup.cjs --tests']] as const) {
  t.test(`without ${place} it says: ${says}`, async t => {
    const { code, out, err } = await makeClone(t).run(RUN, { args: [place, 'start'] })
    t.match({ code, out }, { code: 2, out: '' })
    t.match(err, `${place} is not built: run ${says}, then this again`)
    t.notMatch(err, /\n\s+at /)
  })
}

t.test('what is built runs in this process, with its words, and ends as it wants', async t => {
  const clone = makeClone(t)
  clone.write('dist/main.js', 'console.log(process.pid, process.argv.slice(2).join()); process.exitCode = 7')
  clone.write('dist/package.json', '{ "type": "module" }')
  const { code, out } = await clone.run(RUN, { args: ['dist/main.js', 'start', '--role', 'ingest'] })
  t.equal(code, 7)
  t.match(out, /^\d+ start,--role,ingest\n$/)
})

t.test('without packages it says: npm ci', async t => {
  const clone = makeClone(t)
  clone.write('dist/main.js', "import 'commander'")
  rmSync(clone.path('node_modules'), { recursive: true, force: true })
  const { code, err } = await clone.run(RUN, { args: ['dist/main.js', 'start'] })
  t.equal(code, 2)
  t.match(err, /its packages are not installed: run npm ci/)
  t.notMatch(err, /\n\s+at /)
})

t.test('an error of the program is its own', async t => {
  const clone = makeClone(t)
  clone.write('dist/main.js', "throw new Error('of its own')")
  const { code, err } = await clone.run(RUN, { args: ['dist/main.js'] })
  t.equal(code, 1)
  t.match(err, /Error: of its own\n\s+at /)
})
