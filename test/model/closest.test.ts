/** "Did you mean": near words are found, far ones are not. */
import t from '../support/tap.js'
import { closest } from '../../src/model/closest.js'

const KNOWN = ['listen', 'path', 'allowFrom', 'maxBody', 'rateLimit', 'tls']

const TABLE: ReadonlyArray<[says: string, word: string, meant: string | undefined]> = [
  ['a letter is missing', 'lisen', 'listen'],
  ['a letter is too much', 'patth', 'path'],
  ['two letters are swapped', 'maxBdoy', 'maxBody'],
  ['the case is wrong', 'MAXBODY', 'maxBody'],
  ['words are joined with _', 'rate_limit', 'rateLimit'],
  ['words are joined with -', 'allow-from', 'allowFrom'],
  ['it is another word', 'colour', undefined],
  ['a short word has too many slips', 'abc', undefined],
  ['it is empty', '', undefined]
]
for (const [says, word, meant] of TABLE) {
  t.test(`${says}: ${word} means ${meant ?? 'nothing'}`, async t => { t.equal(closest(word, KNOWN), meant) })
}
