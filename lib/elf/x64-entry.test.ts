import assert from 'node:assert/strict'
import { test } from 'node:test'
import { x64EntryPlace, x64GoEntryPlace, x64PassesTo, x64Targets } from './mod.ts'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

test('the place to probe is the first instruction that the kernel emulates, if nothing before it moves the stack or an argument', () => {
  for (const [code, place, what] of [
    ['41 55 41 54', 0, 'push r13'],
    ['55 48 89 e5', 0, 'push rbp'],
    ['e9 01 02 03 04', 0, 'jmp'],
    ['f3 0f 1e fa 41 57', 4, 'endbr64; push r15'],
    ['48 85 ff 0f 84 9d 01 00 00 55', 3, 'test rdi, rdi; je'],
    ['f3 0f 1e fa 85 d2 78 41', 6, 'endbr64; test edx, edx; js'],
    ['48 83 ec 18 55', undefined, 'sub 24, rsp: the return address is elsewhere behind it'],
    ['48 89 fe 55', undefined, 'mov rdi, rsi: an argument is gone behind it'],
    ['48 85 3f 74 03', undefined, 'test [rdi], rdi: may fault'],
    ['49 50', undefined, 'push with REX.WB: the kernel emulates REX.B alone'],
    ['f3 0f 1e fa 48 83 ec 08', undefined, 'endbr64; sub 8, rsp'],
    ['f3 0f 1e', undefined, 'cut'],
    ['', undefined, 'nothing'],
  ] as const) assert.equal(x64EntryPlace(bytes(code)), place, what)
})

test('a function of Go is probed behind its look at the stack, where one call comes by once', () => {
  for (const [code, place, what] of [
    ['49 3b 66 10 76 20 55 48 89 e5', 6, 'cmp; jbe; push rbp'],
    ['4c 8d 64 24 e8 4d 3b 66 10 0f 86 01 02 00 00 55', 15, 'lea; cmp; jbe; push rbp'],
    ['4c 8d a4 24 00 ff ff ff 4d 3b 66 10 0f 86 01 02 00 00 55', 18, 'lea with 32 bits'],
    ['49 3b 66 10 76 20 48 83 ec 40', 4, 'before Go 1.21: no push'],
    ['49 3b 66 10 48 83 ec 40', 0, 'no jump'],
    ['55 48 89 e5', 0, 'no look at the stack'],
    ['49 3b 66 10', 0, 'cut'],
  ] as const) assert.equal(x64GoEntryPlace(bytes(code)), place, what)
})

test('what a function calls is told by its code, and what it hands all its arguments to', () => {
  // sub 8, rsp; call +0x10; add 8, rsp; ret
  const passing = bytes('48 83 ec 08 e8 10 00 00 00 48 83 c4 08 c3')
  assert.equal(x64PassesTo(passing, 0x1000), 0x1019)
  assert.equal(x64PassesTo(bytes('f3 0f 1e fa 50 e8 f6 ff ff ff 59 c3'), 0x1000), 0x1000)
  assert.equal(x64PassesTo(bytes('48 83 ec 08 31 c9 e8 10 00 00 00'), 0x1000), undefined, 'an argument was changed')
  assert.equal(x64PassesTo(bytes('48 83 ec 08 e8 10 00'), 0x1000), undefined, 'cut')
  assert.equal(x64PassesTo(bytes('e8 10 00 00 00'), 0x1000), undefined, 'no such beginning')
  assert.deepEqual([...x64Targets(passing, 0x1000)], [0x1019])
  // e8 inside of another instruction is no call: mov $0x10e8, eax; jmp -7
  assert.deepEqual([...x64Targets(bytes('b8 e8 10 00 00 e9 f9 ff ff ff'), 0x1000)], [0x1003])
  assert.deepEqual([...x64Targets(bytes('e8 10 00 00 00 06'), 0x1000)], [], 'cannot be taken apart')
})
