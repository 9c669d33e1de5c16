import t from 'tap'
import { targetOf } from '../../src/outbound/target.js'

t.test('a URL is taken apart', async t => {
  t.match(targetOf('http://billing.internal:9001/hooks/fotor?a=1', 'billing'),
    { origin: 'http://billing.internal:9001', path: '/hooks/fotor?a=1', authorization: null })
  t.match(targetOf('https://[::1]', 'billing'), { origin: 'https://[::1]', path: '/' })
})

t.test('a fragment is not sent', async t => {
  t.equal(targetOf('http://h/a#b', 'billing').path, '/a')
})

t.test('credentials are decoded, a stray percent sign as it stands', async t => {
  const basic = (text: string): string => 'Basic ' + Buffer.from(text).toString('base64')
  t.equal(targetOf('http://a%40b:c%3Ad@h/', 'billing').authorization, basic('a@b:c:d'))
  t.equal(targetOf('http://a:50%@h/', 'billing').authorization, basic('a:50%'))
  t.equal(targetOf('http://token@h/', 'billing').authorization, basic('token:'))
})

t.test('passwords and query values are known as secrets in every form', async t => {
  const { secrets } = targetOf('http://u:p%40ss@h/?k=a%20b&l', 'billing')
  for (const secret of ['p%40ss', 'p@ss', 'a%20b', 'a b']) t.ok(secrets.includes(secret), secret)
})
