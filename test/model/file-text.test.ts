/** What an editor of Windows puts into a file is read, or named; it is never taken for a part of the text. */
import t from '../support/tap.js'
import { fileText, type FileText } from '../../src/model/file-text.js'

const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16()
const hint = 'save it as UTF-8'

const TABLE: ReadonlyArray<[says: string, bytes: Buffer, means: FileText]> = [
  ['UTF-8', Buffer.from('z\u00fcrich\r\n'), { text: 'z\u00fcrich\r\n' }],
  ['nothing', Buffer.alloc(0), { text: '' }],
  ['UTF-8 with a byte order mark', Buffer.from('\ufeffword\n'), { text: 'word\n' }],
  ['a mark that is no first one', Buffer.from('a\ufeffb'), { text: 'a\ufeffb' }],
  ['UTF-16 with a mark', Buffer.from('\ufeffwhsec_\u00fc\r\n', 'utf16le'), { text: 'whsec_\u00fc\r\n' }],
  ['UTF-16 the other way round', utf16be('\ufeffword\n'), { text: 'word\n' }],
  ['UTF-16 without a mark', Buffer.from('word\n', 'utf16le'), { problem: 'is UTF-16 without a byte order mark', hint }],
  ['UTF-16 that is cut short', Buffer.from('\ufeffword\n', 'utf16le').subarray(0, -1), { problem: 'is not UTF-16 text', hint }],
  ['Latin-1', Buffer.from('z\u00fcrich', 'latin1'), { problem: 'is not UTF-8 text', hint }],
  ['bytes of a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff]), { problem: 'is not UTF-8 text', hint }]
]
for (const [says, bytes, means] of TABLE) {
  t.test(`${says}: ${'text' in means ? 'is read' : means.problem}`, async t => { t.strictSame(fileText(bytes), means) })
}
