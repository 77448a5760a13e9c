import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { DEFAULT_PRIVACY, privacySchema, Wall } from '../../src/privacy/mod.ts'
import { WallProbe } from './wall-probe.ts'

const KEY = 'a key of sixteen bytes or more'
process.env['LINTEL_TEST_HASH_KEY'] = KEY
const keyed = (): WallProbe => new WallProbe({ hash_key_env: 'LINTEL_TEST_HASH_KEY' })
const tag = (text: string): string =>
  `hmac-sha256:${createHmac('sha256', KEY).update(text, 'latin1').digest('hex').slice(0, 32)}`

test('SHA-256 and HMAC agree with OpenSSL for every length around the blocks, and with RFC 4231', () => {
  const { memory, bytes, input, output } = new WallProbe()
  const rfc4231: [string, string][] = [
    ['0b'.repeat(20), '4869205468657265'], ['4a656665',
      '7768617420646f2079612077616e7420666f72206e6f7468696e673f'],
    ['aa'.repeat(20), 'dd'.repeat(50)], ['0102030405060708090a0b0c0d0e0f10111213141516171819',
      'cd'.repeat(50)],
    ['aa'.repeat(131), Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex')],
    ['aa'.repeat(131), Buffer.from('This is a test using a larger than block-size key and a larger than ' +
      'block-size data. The key needs to be hashed before being used by the HMAC algorithm.')
      .toString('hex')],
  ]
  const published = ['b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
      '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
      '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2']
  for (const [index, [key, data]] of rfc4231.entries()) {
    memory.write(input, Buffer.from(key, 'hex'))
    bytes.setHmacKey(input, key.length / 2)
    memory.write(input, Buffer.from(data, 'hex'))
    bytes.hmacSha256(input, data.length / 2, output)
    assert.equal(Buffer.from(memory.read(output, 32)).toString('hex'), published[index])
  }
  for (let length = 0; length < 200; length++) {
    const data = Buffer.alloc(length, length)
    memory.write(input, data)
    bytes.sha256(input, length, output)
    assert.equal(Buffer.from(memory.read(output, 32)).toString('hex'),
      createHash('sha256').update(data).digest('hex'))
  }
})

test('authorization keeps its scheme alone', () => {
  const probe = new WallProbe()
  for (const [value, expected] of [['Bearer abc', 'Bearer REDACTED'],
    ['Basic dXNlcjpwYXNz', 'Basic REDACTED'], ['abc', 'REDACTED'], ['Unknown abc', 'REDACTED'],
    ['AWS4-HMAC-SHA256 Credential=AKIA/20240101/eu/s3/aws4_request, Signature=ab',
      'AWS4-HMAC-SHA256 REDACTED'], ['Negotiate', 'Negotiate'], ['', '']] as const) {
    assert.equal(probe.header('authorization', value), expected)
  }
})

test('cookies keep names and attributes alone', () => {
  const probe = new WallProbe()
  for (const [value, expected] of [['a=1; b=2', 'a=REDACTED; b=REDACTED'], ['a=; b', 'a=; REDACTED'],
    ['two words=x', 'REDACTED'], ['=x; ;y=z;', 'REDACTED; ;y=REDACTED;'],
    ['a="x;y"', 'a=REDACTED;REDACTED'], ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig=', 'REDACTED'],
      ['a=b=c', 'a=REDACTED']] as const) {
    assert.equal(probe.header('cookie', value), expected)
  }
  assert.equal(probe.header('set-cookie', 'sid=abc; Path=/; Domain=example.com; Expires=Wed, 21 Oct 2015 ' +
    '07:28:00 GMT; Max-Age=1; SameSite=Lax; Secure; HttpOnly; Partitioned; x=y', true),
    'sid=REDACTED; Path=/; Domain=example.com; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Max-Age=1; ' +
      'SameSite=Lax; Secure; HttpOnly; Partitioned; x=REDACTED')
})

test('queries hide the values of secret names, however the names are written', () => {
  const probe = new WallProbe()
  for (const name of ['token', 'access_token', 'id-token', 'refresh.token', 'KEY', 'api_key', 'apiKey',
    'secret', 'client_secret', 'password', 'user[password]', 'passwd', 'pwd',
    'sig', 'signature', 'X-Amz-Signature', 'X-Amz-Credential', 'X-Amz-Security-Token', 'AWSAccessKeyId',
      'X-Goog-Signature', 'code', 'auth', 'session', 'sid', 'jwt', 'assertion',
    'SAMLResponse', 'csrf_token', 'my_private_key', '%70assword', 'new_password_2']) {
    assert.equal(probe.query(`a=1&${name}=v&b=2`), `a=1&${name}=REDACTED&b=2`, name)
    assert.equal(probe.query(`${name}=v`), `${name}=REDACTED`, name)
  }
  for (const name of ['state', 'page', 'sort_key', 'monkey', 'q', 'author', 'max_tokens',
    'keyword']) assert.equal(probe.query(`${name}=v`), `${name}=v`, name)
})

test('URLs in headers lose user info and secret parameters', () => {
  const probe = new WallProbe()
  for (const [value, expected] of [['https://u:p@h/x', 'https://REDACTED:REDACTED@h/x'],
    ['https://h/?code=1&a=2#f', 'https://h/?code=REDACTED&a=2#f'],
    ['</a?token=x>; rel=next', '</a?token=REDACTED>; rel=next'],
      ['/cb#access_token=x&state=1', '/cb#access_token=REDACTED&state=1'],
    ['0; url=https://u@h/', '0; url=https://REDACTED:REDACTED@h/'],
      ['https://h:8443/@user', 'https://h:8443/@user']] as const) {
    assert.equal(probe.header('x-url', value), expected)
  }
})

test('with a key the same value has the same text in every place', () => {
  const probe = keyed()
  const secret = 's3cret-Value+1'
  assert.equal(probe.header('authorization', `Bearer ${secret}`), `Bearer ${tag(secret)}`)
  assert.equal(probe.header('x-api-key', secret), tag(secret))
  assert.equal(probe.header('cookie', `a=${secret}`), `a=${tag(secret)}`)
  assert.equal(probe.query(`token=${secret}`), `token=${tag(secret)}`)
  assert.equal(probe.bytes.valueFlags(), 2)
  assert.equal(keyed().header('x-api-key', secret), tag(secret))
})

test('the key is nowhere in the shared memory', () => {
  const probe = keyed()
  probe.header('x-api-key', 'value')
  assert.equal(Buffer.from(probe.memory.u8.buffer, 0, 16 << 20).includes(KEY), false)
})

test('a wall that was not set up hides everything, and one over foreign imports is refused', () => {
  const memory = new ByteMemory({ ...(process.env['LINTEL_WASM'] === undefined ?
    {} : { path: process.env['LINTEL_WASM'] }), imports: { decideHeader: () => 1, findCredential: () => 0 } })
  const bytes = memory.exports<{ writeText(pointer: number, length: number, out: number): number }>()
  const at = memory.reserve(1000)
  memory.write(at, Buffer.from('plain text'))
  assert.equal(memory.latin1(at + 100, bytes.writeText(at, 10, at + 100)), 'REDACTED')
  assert.doesNotThrow(() => new Wall(new WallProbe().memory, DEFAULT_PRIVACY))
  const foreign = new ByteMemory({ ...(process.env['LINTEL_WASM'] === undefined ?
    {} : { path: process.env['LINTEL_WASM'] }) })
  assert.throws(() => new Wall(foreign, DEFAULT_PRIVACY), /Wall\.imports\(\)/)
})

test('options can be changed while running, and wrong ones leave the old in force', () => {
  const probe = new WallProbe()
  assert.equal(probe.header('x-a', 'v'), 'v')
  probe.wall.setOptions(privacySchema.parse({ headers: [{ match: 'x-a', action: 'redact' }] }))
  assert.equal(probe.header('x-a', 'v'), 'REDACTED')
  assert.throws(() => probe.wall.setOptions(privacySchema.parse({ addresses: 'anonymise' })),
    /no key is configured/)
  assert.equal(probe.header('x-a', 'v'), 'REDACTED')
})

test('patterns of the configuration and card numbers are hidden', () => {
  const probe = new WallProbe({ credentials: { cards: true,
    patterns: [{ name: 'badge', regex: 'B-[0-9]{4}' }] } })
  assert.equal(probe.header('x-a', 'see B-1234 and 4111 1111 1111 1111 or 4111 1111 1111 1112'),
    'see REDACTED and REDACTED or 4111 1111 1111 1112')
  assert.equal(probe.wall.counters().credentials.get('badge'), 1)
  assert.equal(new WallProbe().header('x-a', '4111111111111111'), '4111111111111111')
})

const bitsInCommon = (a: Uint8Array, b: Uint8Array): number => {
  for (let bit = 0; bit < a.length * 8;
    bit++) if ((((a[bit >> 3] ?? 0) ^ (b[bit >> 3] ?? 0)) >> (7 - (bit & 7))) & 1) return bit
  return a.length * 8
}

test('anonymised addresses keep exactly the prefixes that two have in common', () => {
  const probe = new WallProbe({ hash_key_env: 'LINTEL_TEST_HASH_KEY', addresses: 'anonymise' })
  for (const [version, size] of [[4, 4], [6, 16]] as const) {
    fc.assert(fc.property(fc.uint8Array({ minLength: size, maxLength: size }),
      fc.uint8Array({ minLength: size, maxLength: size }), fc.nat(size * 8), (a, tail, keep) => {
      const b = a.map((byte, index) => {
        const mask = keep >= index * 8 + 8 ? 0xff : keep <= index * 8 ?
          0 : (0xff00 >> (keep - index * 8)) & 0xff
        return (byte & mask) | ((tail[index] ?? 0) & ~mask)
      })
      assert.equal(bitsInCommon(probe.address(version, a), probe.address(version, b)), bitsInCommon(a, b))
    }), { numRuns: 500 })
  }
  const again = new WallProbe({ hash_key_env: 'LINTEL_TEST_HASH_KEY', addresses: 'anonymise' })
  assert.deepEqual(again.address(4, Uint8Array.of(192, 0, 2, 1)),
    probe.address(4, Uint8Array.of(192, 0, 2, 1)))
  assert.notDeepEqual(probe.address(4, Uint8Array.of(192, 0, 2, 1)), Uint8Array.of(192, 0, 2, 1))
})

test('addresses in texts are anonymised as those of sockets', () => {
  const probe = new WallProbe({ hash_key_env: 'LINTEL_TEST_HASH_KEY', addresses: 'anonymise' })
  const shown = [...probe.address(4, Uint8Array.of(203, 0, 113, 195))].join('.')
  assert.equal(probe.header('x-forwarded-for', '203.0.113.195, unknown'), `${shown}, unknown`)
  assert.equal(probe.header('forwarded', 'for=203.0.113.195:4711;proto=http'), `for=${shown}:4711;proto=http`)
  const [, six = ''] = /^for="\[(.*)\]"$/.exec(probe.header('forwarded', 'for="[2001:db8::1]"') ?? '') ?? []
  assert.ok(isIPv6(six) && six !== '2001:db8::1')
  assert.equal(probe.text('::ffff:203.0.113.195'), `::ffff:${shown}`)
  assert.equal(probe.header('user-agent', 'Chrome/120.0.0.0'), 'Chrome/120.0.0.0')
})

test('truncated addresses keep the bits that are asked for', () => {
  const probe = new WallProbe({ addresses: { truncate: { ipv4: 20, ipv6: 44 } } })
  assert.deepEqual(probe.address(4, Uint8Array.of(10, 1, 255, 4)), Uint8Array.of(10, 1, 240, 0))
  assert.equal(probe.text('2001:db8:ffff:1::1'), '2001:db8:fff0::')
  assert.deepEqual(probe.mac(Uint8Array.of(1, 2, 3, 4, 5, 6)), Uint8Array.of(1, 2, 3, 0, 0, 0))
})
