/** Secrets in places that are not made for them: hosts, protocol lists, names in CGI form, names in disguise. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WallProbe } from './wall-probe.ts'

test('user info in front of a host is hidden in every header that names a host', () => {
  const probe = new WallProbe()
  for (const name of ['host', 'x-forwarded-host', 'x-host', 'x-original-host', ':authority', 'HTTP_HOST']) {
    assert.equal(probe.header(name, 'u:SECRET@x:80'), 'REDACTED:REDACTED@x:80', name)
    assert.equal(probe.header(name, 'SECRET@x'), 'REDACTED:REDACTED@x', name)
    assert.equal(probe.header(name, 'u:a@SECRET@x'), 'REDACTED:REDACTED@x', name)
    assert.equal(probe.header(name, 'api.example.com:8443'), 'api.example.com:8443', name)
  }
  assert.equal(probe.header('x-client-mail', 'joe@example.com'), 'joe@example.com')
  assert.equal(new WallProbe({ headers: [{ match: '*', action: 'keep' }] }).header('host', 'u:SECRET@x'),
    'REDACTED:REDACTED@x')
})

test('tokens in Sec-WebSocket-Protocol are hidden', () => {
  const probe = new WallProbe()
  for (const [value, expected] of [
    ['bearer, SECRET', 'bearer, REDACTED'], ['Bearer,SECRET', 'Bearer,REDACTED'],
    ['chat, access_token, SECRET, x', 'chat, access_token, REDACTED, REDACTED'],
    ['Authorization, SECRET', 'Authorization, REDACTED'], ['token, SECRET', 'token, REDACTED'],
    ['base64url.bearer.authorization.k8s.io.U0VDUkVU, v4.channel.k8s.io',
      'base64url.bearer.authorization.k8s.io.REDACTED, v4.channel.k8s.io'],
    ['realtime, openai-insecure-api-key.SECRET', 'realtime, openai-insecure-api-key.REDACTED'],
    ['graphql-transport-ws, graphql-ws', 'graphql-transport-ws, graphql-ws'],
    ['v12.stomp, v11.stomp ,mqtt', 'v12.stomp, v11.stomp ,mqtt'], ['bearer', 'bearer'], [' , ,', ' , ,'],
  ] as const) {
    assert.equal(probe.header('sec-websocket-protocol', value), expected, value)
  }
})

test('names in CGI form and every kind of authorization are hidden as the header that they stand for', () => {
  const probe = new WallProbe()
  for (const name of ['http_authorization', 'redirect_http_authorization', 'x-original-authorization',
    'x_forwarded_authorization', 'xauthorization']) {
    assert.equal(probe.header(name, 'Basic SECRET'), 'Basic REDACTED', name)
  }
  assert.equal(probe.header('http_cookie', 'a=SECRET'), 'a=REDACTED')
  assert.equal(probe.header('HTTP_X_API_KEY', 'SECRET'), 'REDACTED')
  assert.equal(probe.header('http_accept', 'text/html'), 'text/html')
})

test('a secret name in disguise is still one', () => {
  const probe = new WallProbe()
  for (const [query, expected] of [['pass%2577ord=SECRET', 'pass%2577ord=REDACTED'],
    ['a=1&pass+word=SECRET', 'a=1&pass+word=REDACTED'], ['my+token=SECRET', 'my+token=REDACTED'],
    ['a+code=SECRET', 'a+code=REDACTED'], ['q=a+b&n=100%2525', 'q=a+b&n=100%2525']] as const) {
    assert.equal(probe.query(query), expected)
  }
  assert.equal(probe.text('{"p\\u0061ssword":"SECRET"}'), '{"p\\u0061ssword":"REDACTED"}')
  assert.equal(probe.text('{"pass\\u0077ord":"SECRET"}'), '{"pass\\u0077ord":"REDACTED"}')
  assert.equal(probe.text('{"p\\u0061ge":"seven"}'), '{"p\\u0061ge":"seven"}')
})

test('two tokens glued to each other are both hidden', () => {
  const probe = new WallProbe()
  const [first, second] = [`ghp_${'A1b2'.repeat(9)}`, `ghp_${'Z9y8'.repeat(9)}`]
  assert.equal(probe.text(`see ${first}${second} there`), 'see REDACTED there')
  assert.equal(probe.text(`see ${first}${second}${first}`), 'see REDACTED')
})

test('links that let in whoever has them are hidden, the pages beside them stay', () => {
  const probe = new WallProbe()
  const token = 'Zk3vQ9xR7mW2pL5tN8cJ4hB6'
  for (const path of ['/reset-password/', '/users/password/edit/', '/magic-link/', '/verify/', '/account/activate/', '/v1/invitations/', '/unsubscribe/']) {
    assert.equal(probe.path(`${path}${token}`), `${path}REDACTED`, path)
    assert.equal(probe.path(`${path}42`), `${path}42`, path)
    assert.equal(probe.path(`${path}how-it-works-in-detail-and-why`), `${path}how-it-works-in-detail-and-why`, path)
  }
})

test('keys of AI services with words in them, and a signature called sign, are hidden', () => {
  const probe = new WallProbe()
  for (const key of ['sk-proj-abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJ', 'sk-svcacct-abcdefghijklmnopqrstuvwxyz', 'sk-abcdefghijklmnopqrstuvwxyz1234']) {
    assert.equal(probe.text(`key ${key} here`), 'key REDACTED here', key)
  }
  assert.equal(probe.query('sign=0123456789abcdef0123456789abcdef&x=1'), 'sign=REDACTED&x=1')
  assert.equal(probe.query('sign=aries'), 'sign=aries')
})

test('names of second factors and of other proofs are those of secrets', () => {
  const probe = new WallProbe()
  for (const name of ['x-2fa-code', 'x-mfa-code', 'x-totp', 'x-hmac', 'x-pass', 'bearer', 'authentication', 'x-honeycomb-team']) {
    assert.equal(probe.header(name, 'SECRET'), 'REDACTED', name)
  }
  assert.equal(probe.header('authentication-results', 'mx.example; spf=pass'), 'mx.example; spf=pass')
})
