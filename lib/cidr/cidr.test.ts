import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseCidr } from './mod.ts'

test('networks of both families are read, and bits behind the prefix are cleared', () => {
  const cases: [string, number, string][] = [
    ['10.0.0.0/8', 8, '0a000000'],
    ['10.255.255.255/9', 9, '0a800000'],
    ['192.0.2.1', 32, 'c0000201'],
    ['0.0.0.0/0', 0, '00000000'],
    ['2001:db8::/32', 32, '20010db8000000000000000000000000'],
    ['2001:db8::ffff/127', 127, '20010db800000000000000000000fffe'],
    ['::1', 128, '00000000000000000000000000000001'],
    ['::', 128, '00000000000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', 128, '00010002000300040005000600070008'],
    ['::ffff:10.0.0.1', 128, '00000000000000000000ffff0a000001'],
    ['fe80::/10', 10, 'fe800000000000000000000000000000'],
  ]
  for (const [text, bits, hex] of cases) {
    const cidr = parseCidr(text)
    assert.deepEqual([cidr.bits, Buffer.from(cidr.bytes).toString('hex')], [bits, hex], text)
  }
})

test('what is no network is refused with the text quoted', () => {
  for (const text of ['', '10.0.0', '10.0.0.0/33', '10.0.0.0/8/8', '2001:db8::/129', 'fe80::1%eth0', '10.0.0.0/-1', 'eth0', '10.0.0.0/a', '1.2.3.4/']) {
    assert.throws(() => parseCidr(text), (error: Error) => error instanceof RangeError && error.message.includes(`"${text}"`), text)
  }
})
