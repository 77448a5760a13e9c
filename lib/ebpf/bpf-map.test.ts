import assert from 'node:assert/strict'

import { BpfMap, BpfObject, possibleCpus } from './mod.ts'
import { compile } from './testdata/compile.ts'
import { live } from './testdata/live.ts'

function u32(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}

function u64(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer)
}

function loaded(): BpfObject {
  const object = BpfObject.open(compile('maps'))
  object.load()
  return object
}

live('BpfMap array keeps every entry, refuses deletion and clears to zeros', () => {
  using object = loaded()
  const numbers = object.map('numbers')
  assert.deepEqual([numbers.type, numbers.keySize, numbers.valueSize, numbers.maxEntries], ['array', 4, 8, 4])
  numbers.update(u32(2), u64(77n))
  assert.deepEqual(numbers.lookup(u32(2)), u64(77n))
  assert.deepEqual(numbers.lookup(u32(3)), u64(0n))
  assert.equal(numbers.lookup(u32(4)), undefined)
  assert.throws(() => numbers.delete(u32(2)), { code: 'EINVAL', message: /array keeps its entries/ })
  assert.deepEqual([...numbers.keys()], [u32(0), u32(1), u32(2), u32(3)])
  numbers.clear()
  assert.deepEqual(numbers.lookup(u32(2)), u64(0n))
})

live('BpfMap hash looks up, deletes, iterates, clears, and says when it is full', () => {
  using object = loaded()
  const pairs = object.map('pairs')
  for (let key = 0; key < 8; key += 1) pairs.update(u32(key), u64(BigInt(key)))
  assert.throws(() => pairs.update(u32(8), u64(8n)),
    { code: 'E2BIG', message: /holds 8 entries and is full/ })
  assert.equal(new Set([...pairs.keys()].map(String)).size, 8)
  assert.equal(pairs.delete(u32(3)), true)
  assert.equal(pairs.delete(u32(3)), false)
  assert.equal(pairs.lookup(u32(3)), undefined)
  const out = new Uint8Array(8)
  assert.equal(pairs.lookup(u32(5), out), out)
  assert.deepEqual(out, u64(5n))
  assert.throws(() => pairs.update(u32(5), u64(1n), 'noexist'), { code: 'EEXIST' })
  assert.throws(() => pairs.update(u32(3), u64(1n), 'exist'), { code: 'ENOENT' })
  pairs.clear()
  assert.equal(pairs.getNextKey(), undefined)
})

live('BpfMap lpm_trie answers with the longest prefix', () => {
  using object = loaded()
  const networks = object.map('networks')
  const prefix = (bits: number, ...address: number[]): Uint8Array => {
    const key = new Uint8Array(8)
    key.set(u32(bits))
    key.set(address, 4)
    return key
  }
  networks.update(prefix(8, 10, 0, 0, 0), u32(8))
  networks.update(prefix(24, 10, 1, 2, 0), u32(24))
  assert.deepEqual(networks.lookup(prefix(32, 10, 1, 2, 3)), u32(24))
  assert.deepEqual(networks.lookup(prefix(32, 10, 9, 9, 9)), u32(8))
  assert.equal(networks.lookup(prefix(32, 11, 0, 0, 1)), undefined)
})

live('BpfMap per-CPU array has one value for each possible CPU', () => {
  using object = loaded()
  const perCpu = object.map('per_cpu')
  perCpu.update(u32(1), u32(10))
  object.program('write_maps').testRun(new Uint8Array())
  const values = perCpu.lookupPerCpu(u32(1))
  assert.equal(values?.length, possibleCpus())
  const numbers = values.map((value) => new DataView(value.buffer, value.byteOffset).getUint32(0, true))
  assert.equal(numbers.reduce((sum, each) => sum + each, 0), 10 * possibleCpus() + 1)
  assert.throws(() => perCpu.lookup(u32(1)), /use lookupPerCpu/)
  assert.throws(() => object.map('numbers').lookupPerCpu(u32(1)), /use lookup\(\)/)
})

live('BpfMap mmap shares memory both ways and is emptied by close', () => {
  const object = loaded()
  const memory = object.map('shared').mmap()
  assert.equal(memory.length, 8 * 1000)
  new DataView(memory.buffer).setUint32(8, 1234, true)
  object.program('write_maps').testRun(new Uint8Array())
  assert.equal(new DataView(memory.buffer).getUint32(999 * 8, true), 1235)
  assert.deepEqual(object.map('shared').lookup(u32(999)), u32(1235))
  assert.throws(() => object.map('numbers').mmap(), { code: 'EINVAL', message: /BPF_F_MMAPABLE/ })
  object.close()
  assert.equal(memory.length, 0)
})

live('BpfMap fromHandle reaches the same map', () => {
  using object = loaded()
  const handle = structuredClone(object.map('pairs').handle)
  BpfMap.fromHandle(handle).update(u32(1), u64(9n))
  assert.deepEqual(object.map('pairs').lookup(u32(1)), u64(9n))
})

live('BpfMap setMaxEntries before load changes the map, after load is refused', () => {
  using object = BpfObject.open(compile('maps'))
  object.map('pairs').setMaxEntries(2)
  object.load()
  const pairs = object.map('pairs')
  assert.equal(pairs.maxEntries, 2)
  pairs.update(u32(1), u64(1n))
  pairs.update(u32(2), u64(1n))
  assert.throws(() => pairs.update(u32(3), u64(1n)), { code: 'E2BIG' })
  assert.throws(() => pairs.setMaxEntries(3), { code: 'EBUSY', message: /do so before load/ })
})

live('BpfMap refuses keys and values of a wrong size before the kernel reads beyond them', () => {
  using object = loaded()
  const pairs = object.map('pairs')
  assert.throws(() => pairs.lookup(new Uint8Array(3)), RangeError)
  assert.throws(() => pairs.lookup(u32(1), new Uint8Array(7)), RangeError)
  assert.throws(() => pairs.update(u32(1), new Uint8Array(4)), RangeError)
  assert.throws(() => pairs.getNextKey(new Uint8Array(2)), RangeError)
})

live('BpfMap after close throws instead of touching a descriptor that is somebody else’s', () => {
  const object = loaded()
  const pairs = object.map('pairs')
  object.close()
  object.close()
  assert.throws(() => pairs.lookup(u32(1)), { code: 'EBADF', message: /"pairs": it is closed/ })
  assert.equal(pairs.maxEntries, 8)
})

live('BpfMap.create makes a map of no object, which goes when it is closed, and says why it cannot', () => {
  const map = BpfMap.create({ name: 'made', type: 'array', keySize: 4, valueSize: 8, maxEntries: 2 })
  map.update(u32(1), u64(7n))
  assert.deepEqual(BpfMap.fromHandle(map.handle).lookup(u32(1)), u64(7n))
  map.close()
  map.close()
  assert.throws(() => map.lookup(u32(1)), { code: 'EBADF' })
  assert.throws(() => BpfMap.create({ name: 'made', type: 'array', keySize: 3, valueSize: 8, maxEntries: 2 }),
    { code: 'EINVAL', message: /Cannot create the map "made"/ })
})
