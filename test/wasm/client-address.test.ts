import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAddress } from '../../lib/record/mod.ts'
import { ExchangeFixture, ipv4 } from './exchange-fixture.ts'

const fixture = new ExchangeFixture()
fixture.privacy({})

const PROXY = ipv4('10.0.0.1')
const SERVER = ipv4('10.0.0.2')

function from(peer: Uint8Array, ...headers: string[]): unknown {
  const request = `GET / HTTP/1.1\r\nHost: a\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`
  const server = peer.length === 16 ? new Uint8Array(16) : SERVER
  return fixture.fields({ request, addresses: [peer, server] }).get('client.real_address')
}

function check(rows: [headers: string | string[], expected: string | undefined][]): void {
  for (const [headers, expected] of rows) assert.equal(from(PROXY, ...[headers].flat()), expected, String(headers))
}

function ipv6(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex')
}

test('X-Forwarded-For is walked from the right over trusted proxies', () => {
  check([
    ['X-Forwarded-For: 203.0.113.7', '203.0.113.7'],
    ['X-Forwarded-For: 198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['X-Forwarded-For: 198.51.100.1, 203.0.113.7, 10.1.1.1, 192.168.3.4', '203.0.113.7'],
    ['X-Forwarded-For: 192.168.3.4, 10.1.1.1', '192.168.3.4'],
    ['X-Forwarded-For: unknown, 203.0.113.7, 10.1.1.1', '203.0.113.7'],
    ['X-Forwarded-For: 203.0.113.7, unknown', undefined],
    ['X-Forwarded-For: 203.0.113.7, unknown, 10.1.1.1', undefined],
    ['X-Forwarded-For: unknown, 10.1.1.1', undefined],
    ['X-Forwarded-For: 203.0.113.7:4711', '203.0.113.7'],
    ['X-Forwarded-For: 203.0.113.7:', undefined],
    ['X-Forwarded-For: 203.0.113.7:123456', undefined],
    ['X-Forwarded-For: 2001:db8::7', '2001:db8::7'],
    ['X-Forwarded-For: [2001:db8::7]', '2001:db8::7'],
    ['X-Forwarded-For: [2001:DB8:0:0::7]:443,fd00::1', '2001:db8::7'],
    ['X-Forwarded-For: [2001:db8::7]x', undefined],
    ['X-Forwarded-For: [2001:db8::7', undefined],
    ['X-Forwarded-For: ::ffff:203.0.113.7', '203.0.113.7'],
    ['X-Forwarded-For: 203.0.113.7, ::ffff:10.0.0.9', '203.0.113.7'],
    ['X-Forwarded-For: fe80::1%eth0', undefined],
    ['X-Forwarded-For: 203.0.113.07', undefined],
    ['X-Forwarded-For: 203.0.113', undefined],
    ['X-Forwarded-For: 203.0.113.7.8', undefined],
    ['X-Forwarded-For: 203.0.113.256', undefined],
    ['X-Forwarded-For:', undefined],
    ['X-Forwarded-For: , ,203.0.113.7,,', '203.0.113.7'],
    [['X-Forwarded-For: 198.51.100.1', 'X-Forwarded-For: 203.0.113.7'], '203.0.113.7'],
    [['X-Forwarded-For: 203.0.113.7', 'X-Other: 1', 'X-Forwarded-For: 10.1.1.1'], '203.0.113.7'],
  ])
})

test('Forwarded is walked in the same way', () => {
  check([
    ['Forwarded: for=203.0.113.7', '203.0.113.7'],
    ['Forwarded: For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    ['Forwarded: for=203.0.113.7;proto=http;by=203.0.113.43', '203.0.113.7'],
    ['Forwarded: proto=http ; for=203.0.113.7, for=10.0.0.7', '203.0.113.7'],
    ['Forwarded: for="203.0.113.7:80";host="a,b;c"', '203.0.113.7'],
    ['Forwarded: for=198.51.100.1, for=203.0.113.7', '203.0.113.7'],
    ['Forwarded: for=_hidden, for=203.0.113.7', '203.0.113.7'],
    ['Forwarded: for=203.0.113.7, for=_hidden', undefined],
    ['Forwarded: for=203.0.113.7, for=unknown', undefined],
    ['Forwarded: for=203.0.113.7, proto=https', undefined],
    ['Forwarded: for=203.0.113.7;for=203.0.113.8', undefined],
    ['Forwarded: for="203.0.113.7', undefined],
    ['Forwarded: for=', undefined],
    ['Forwarded: for="\\203.0.113.7"', undefined],
    ['Forwarded: for=203.0.113.7,', '203.0.113.7'],
    ['Forwarded: xfor=203.0.113.7', undefined],
    [['Forwarded: for=203.0.113.7', 'Forwarded: for=10.0.0.7'], '203.0.113.7'],
  ])
})

test('both headers must agree; X-Real-IP counts when neither is there', () => {
  check([
    [['Forwarded: for=203.0.113.7', 'X-Forwarded-For: 203.0.113.7'], '203.0.113.7'],
    [['Forwarded: for=203.0.113.7', 'X-Forwarded-For: 198.51.100.1'], undefined],
    [['Forwarded: for=_x', 'X-Forwarded-For: 198.51.100.1'], undefined],
    [['Forwarded: for=203.0.113.7', 'X-Forwarded-For: ?'], undefined],
    [['X-Real-IP: 203.0.113.7'], '203.0.113.7'],
    [['X-Real-IP: 10.9.9.9'], '10.9.9.9'],
    [['X-Real-IP: 203.0.113.7', 'X-Forwarded-For: 198.51.100.1'], '198.51.100.1'],
    [['X-Real-IP: 203.0.113.7', 'X-Forwarded-For: unknown'], undefined],
    [['X-Real-IP: 203.0.113.7', 'X-Real-IP: 203.0.113.7'], undefined],
    [['X-Real-IP: nobody'], undefined],
    [[], undefined],
  ])
})

test('nothing counts when the peer itself is not trusted', () => {
  for (const peer of ['203.0.113.1', '172.15.255.255', '172.32.0.0', '11.0.0.0', '192.169.0.0', '128.0.0.1', '169.253.0.1']) {
    assert.equal(from(ipv4(peer), 'X-Forwarded-For: 198.51.100.1', 'X-Real-IP: 198.51.100.1'), undefined, peer)
  }
  for (const peer of ['127.0.0.1', '10.255.0.1', '172.16.0.0', '172.31.255.255', '192.168.255.1', '169.254.0.1']) {
    assert.equal(from(ipv4(peer), 'X-Forwarded-For: 198.51.100.1'), '198.51.100.1', peer)
  }
  for (const peer of [`${'0'.repeat(31)}1`, `fc${'0'.repeat(30)}`, `fdff${'f'.repeat(28)}`, `fe80${'0'.repeat(28)}`, `febf${'0'.repeat(28)}`]) {
    assert.equal(from(ipv6(peer), 'X-Forwarded-For: 198.51.100.1'), '198.51.100.1', peer)
  }
  for (const peer of [`${'0'.repeat(31)}2`, `fe00${'0'.repeat(28)}`, `fec0${'0'.repeat(28)}`, `2001${'0'.repeat(28)}`]) {
    assert.equal(from(ipv6(peer), 'X-Forwarded-For: 198.51.100.1'), undefined, peer)
  }
})

test('any address text means what node:net says, and survives the walk', () => {
  const v4 = fc.ipV4().map((text) => ({ text, shown: text }))
  const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => (
    { text: formatAddress(6, bytes), shown: formatAddress(6, bytes) }))
  fixture.trust([4, 32, PROXY])
  fc.assert(fc.property(fc.oneof(v4, v6), ({ text, shown }) => {
    const unmapped = shown.startsWith('::ffff:') && shown.includes('.') ? shown.slice(7) : shown
    assert.equal(from(PROXY, `X-Forwarded-For: ${text}`), unmapped)
  }), { numRuns: 500 })
  const near = fc.array(fc.constantFrom('::', ':', '.', '0', '1', 'ffff', '255', '256', 'a', '1.2.3.4', '%', '00', 'g'), { maxLength: 10 })
  fc.assert(fc.property(fc.oneof(near.map((parts) => parts.join('')), fc.ipV6()), (text) => {
    if (text.includes('%')) return
    const shown = from(PROXY, `X-Real-IP: [${text}]`)
    assert.equal(shown !== undefined, isIP(text) !== 0, text)
  }), { numRuns: 3000 })
})

test('configured networks replace the default ones, at every prefix length', () => {
  assert.equal(fixture.trust([4, 24, ipv4('203.0.113.0')], [4, 31, ipv4('198.51.100.2')], [6, 33, ipv6(`20010db880${'0'.repeat(22)}`)]), true)
  assert.equal(from(ipv4('203.0.113.255'), 'X-Forwarded-For: 192.0.2.9, 198.51.100.3, 198.51.100.2'), '192.0.2.9')
  assert.equal(from(ipv4('203.0.113.255'), 'X-Forwarded-For: 192.0.2.9, 198.51.100.4'), '198.51.100.4')
  assert.equal(from(ipv4('203.0.114.0'), 'X-Forwarded-For: 192.0.2.9'), undefined)
  assert.equal(from(ipv4('203.0.113.255'), 'X-Forwarded-For: 192.0.2.9, 2001:db8:ffff::1'), '192.0.2.9')
  assert.equal(from(ipv4('203.0.113.255'), 'X-Forwarded-For: 192.0.2.9, 2001:db8:7fff::1'), '2001:db8:7fff::1')
  assert.equal(from(PROXY, 'X-Forwarded-For: 192.0.2.9'), undefined)
  fixture.trust([4, 0, ipv4('0.0.0.0')])
  assert.equal(from(ipv4('8.8.8.8'), 'X-Forwarded-For: 192.0.2.9'), '192.0.2.9')
  fixture.trust()
  assert.equal(from(ipv4('127.0.0.1'), 'X-Forwarded-For: 192.0.2.9'), undefined)
  assert.equal(fixture.exports.setTrusted(fixture.line, 1025), 0)
})
