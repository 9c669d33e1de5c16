import t from '../support/tap.js'
import { maskUrl } from '../../src/model/subscriber.js'
import { targetOf, type Target } from '../../src/outbound/target.js'

const targetAt = (url: string, shownUrl = maskUrl(url)): Target => targetOf({ name: 'billing', url, shownUrl })

t.test('a URL is taken apart', async t => {
  t.match(targetAt('http://billing.internal:9001/hooks/fotor?a=1'),
    { origin: 'http://billing.internal:9001', path: '/hooks/fotor?a=1', authorization: null })
  t.match(targetAt('https://[::1]'), { origin: 'https://[::1]', path: '/' })
})

t.test('a fragment is not sent', async t => {
  t.equal(targetAt('http://h/a#b').path, '/a')
})

t.test('credentials are decoded, a stray percent sign as it stands', async t => {
  const basic = (text: string): string => 'Basic ' + Buffer.from(text).toString('base64')
  t.equal(targetAt('http://a%40b:c%3Ad@h/').authorization, basic('a@b:c:d'))
  t.equal(targetAt('http://a:50%@h/').authorization, basic('a:50%'))
  t.equal(targetAt('http://token@h/').authorization, basic('token:'))
})

t.test('passwords and query values are known as secrets in every form', async t => {
  const { secrets } = targetAt('http://u:p%40ss@h/?k=a%20b&l')
  for (const secret of ['p%40ss', 'p@ss', 'a%20b', 'a b']) t.ok(secrets.includes(secret), secret)
})

t.test('segments of the path are secrets when the URL came from outside, and only then', async t => {
  const url = 'http://h/hooks/hush%20hush/in'
  t.strictSame(targetAt(url).secrets.filter(Boolean), [])
  const { secrets } = targetAt(url, 'http://h/hooks/$' + '{HOOK_TOKEN}/in')
  for (const secret of ['hush%20hush', 'hush hush']) t.ok(secrets.includes(secret), secret)
})
