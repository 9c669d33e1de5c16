/** Which errors say that Redis is away, and what of them may be shown. */
import t from '../support/tap.js'
import { isNotReachable, isNotPrimary, isRedisAway, redisCodeOf } from '../../src/model/redis-away.js'

const network = (code: string): Error => Object.assign(new Error(`connect ${code} 10.0.0.7:6379`), { code, syscall: 'connect' })
const named = (name: string): Error => Object.assign(new Error('x'), { name })

const TABLE: ReadonlyArray<[says: string, error: unknown, isAway: boolean, code: string]> = [
  ['full', new Error('OOM command not allowed when used memory > maxmemory'), true, 'OOM'],
  ['loading', new Error('LOADING Redis is loading the dataset in memory'), true, 'LOADING'],
  ['a replica', new Error("READONLY You can't write against a read only replica."), true, 'READONLY'],
  ['a disk that is full', new Error('MISCONF Errors writing to the AOF file'), true, 'MISCONF'],
  ['a slot that moves', new Error('TRYAGAIN Multiple keys request during rehashing of slot'), true, 'TRYAGAIN'],
  ['a wrong password', new Error('WRONGPASS invalid username-password pair'), false, 'WRONGPASS'],
  ['an ACL', new Error('NOPERM this user has no permissions'), false, 'NOPERM'],
  ['a word inside a sentence is none of its own', new Error('the OOM killer came by'), false, ''],
  ['no answer', new Error('Command timed out'), true, ''],
  ['no connection', new Error('Connection is closed.'), true, ''],
  ['refused', network('ECONNREFUSED'), true, ''],
  ['a name that is not known', network('ENOTFOUND'), true, ''],
  ['a file that is not there is no network', Object.assign(new Error('x'), { code: 'ENOENT' }), false, ''],
  ['the driver gave up', named('MaxRetriesPerRequestError'), true, ''],
  ['a mistake of ours', new TypeError('x is not a function'), false, ''],
  ['no error at all', 'OOM', false, '']
]
for (const [says, error, isAway, code] of TABLE) {
  t.test(`${says}: ${isAway ? 'away' : 'not away'}`, async t => {
    t.equal(isRedisAway(error), isAway)
    t.equal(redisCodeOf(error), code)
  })
}

t.test('a server that is not the primary is told by its word, wherever it stands', async t => {
  t.ok(isNotPrimary(new Error('-READONLY You cannot write')))
  t.ok(isNotPrimary(new Error('ERR Error running script: READONLY')))
  t.notOk(isNotPrimary(new Error('OOM command not allowed')))
})

t.test('that nobody takes connections is told from what somebody answers, and from silence', async t => {
  for (const words of ['connect ECONNREFUSED 10.0.0.7:6379', 'connect ENOENT /run/redis.sock', 'getaddrinfo ENOTFOUND redis.internal', 'connect ETIMEDOUT',
    'All sentinels are unreachable. Retrying from scratch after 25ms. Last error: connect ECONNREFUSED 10.0.0.7:26379',
    'All sentinels are unreachable. Retrying from scratch after 25ms.', 'Connection is closed.']) {
    t.ok(isNotReachable(words), words)
  }
  for (const words of ['Command timed out', 'All sentinels are unreachable. Retrying from scratch after 25ms. Last error: Command timed out',
    'read ECONNRESET', 'LOADING Redis is loading the dataset in memory', 'Redis is still loading its data: wait, then try again']) {
    t.notOk(isNotReachable(words), words)
  }
})
