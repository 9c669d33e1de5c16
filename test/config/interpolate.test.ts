/** What is put into a text from outside, and what cannot be. */
import t from '../support/tap.js'
import fc from 'fast-check'
import { interpolate, reference, type Outside } from '../../src/config/interpolate.js'

const FILES: Readonly<Record<string, string>> = { '/run/secrets/x': 'from-file\n', '/run/secrets/windows': 'from-file\r\n', '/run/secrets/blank': '\n' }

const OUTSIDE: Outside = {
  env: { NAME: 'value', EMPTY: '', TRICKY: `${reference('NAME')} $$` },
  readFile: path => FILES[path] === undefined ? { problem: 'does not exist' } : { value: FILES[path] }
}

const READ: ReadonlyArray<[says: string, text: string, becomes: string]> = [
  ['a variable is put in', `a ${reference('NAME')} b`, 'a value b'],
  ['several are put in', reference('NAME') + reference('NAME'), 'valuevalue'],
  ['a default is not used when the variable is there', reference('NAME:-other'), 'value'],
  ['a default is used when the variable is not there', reference('MISSING:-other'), 'other'],
  ['a default is used when the variable is empty', reference('EMPTY:-other'), 'other'],
  ['a default may be empty', `[${reference('MISSING:-')}]`, '[]'],
  ['a default may hold anything but }', reference('MISSING:-redis://h:1/0?a=:-b'), 'redis://h:1/0?a=:-b'],
  ['a file is put in without its last line break', `Bearer ${reference('file:/run/secrets/x')}`, 'Bearer from-file'],
  ['a line break of Windows counts as one', reference('file:/run/secrets/windows'), 'from-file'],
  ['what comes in is not looked at again', reference('TRICKY'), `${reference('NAME')} $$`],
  ['a doubled dollar makes it literal', `$${reference('NAME')}`, reference('NAME')],
  ['a dollar alone is a dollar', '$NAME $ $5 {NAME}', '$NAME $ $5 {NAME}']
]
for (const [says, text, becomes] of READ) {
  t.test(says, async t => {
    const { text: result, problems } = interpolate(text, OUTSIDE)
    t.equal(result, becomes)
    t.strictSame(problems, [])
  })
}

const REFUSED: ReadonlyArray<[says: string, text: string, problem: string]> = [
  ['a missing variable', reference('MISSING'), 'needs the environment variable MISSING, which is not set'],
  ['an empty variable without a default', reference('EMPTY'), 'needs the environment variable EMPTY, which is empty'],
  ['a variable that only every object has', reference('toString'), 'needs the environment variable toString, which is not set'],
  ['a file that is not there', reference('file:/none'), 'needs the file /none, which does not exist'],
  ['a file with nothing but a line break', reference('file:/run/secrets/blank'), 'needs the file /run/secrets/blank, which is empty'],
  ['a file without a path', reference('file:'), `has a ${reference('file:')} without a path`],
  ['a name that is none', reference('1NAME'), `has a ${reference('…')} that is not understood`],
  ['nothing inside', reference(''), `has a ${reference('…')} that is not understood`],
  ['another operator of the shell', reference('NAME-other'), `has a ${reference('…')} that is not understood`],
  ['one inside another', reference(`MISSING:-${reference('NAME')}`), `has a ${reference('…')} that is not understood`],
  ['one inside the path of a file', reference(`file:/run/${reference('NAME')}`), `has a ${reference('…')} that is not understood`],
  ['one without its end', '$' + '{NAME', 'has a $' + '{ without its }']
]
for (const [says, text, problem] of REFUSED) {
  t.test(`${says} is refused`, async t => { t.match(interpolate(text, OUTSIDE).problems, [{ problem }]) })
}

t.test('all that is missing is listed, not only the first', async t => {
  t.equal(interpolate(reference('ONE') + reference('TWO'), OUTSIDE).problems.length, 2)
})

t.test('whether anything came from outside is told; a literal did not', async t => {
  t.equal(interpolate(reference('MISSING:-x'), OUTSIDE).outside, true)
  t.equal(interpolate(`$${reference('NAME')}`, OUTSIDE).outside, false)
})

t.test('a text without references comes back as it is', async t => {
  fc.assert(fc.property(fc.string().filter(text => !text.includes('$' + '{')), text => {
    t.strictSame(interpolate(text, OUTSIDE), { text, outside: false, problems: [] })
  }))
})
