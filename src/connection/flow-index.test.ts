import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FRAME_BYTES } from '../capture/mod.ts'
import { FlowIndex } from './flow-index.ts'
import { sharedMemory } from './testing/recorded-table.ts'
import { SegmentBuilder } from './testing/segment-builder.ts'
import type { Endpoint } from './testing/segment-builder.ts'

const builder = new SegmentBuilder(sharedMemory(), 4096)

function eventOf(from: Endpoint, to: Endpoint): number {
  builder.clear().add({ from, to })
  return builder.pointer + FRAME_BYTES
}

function index(slots: number): FlowIndex {
  return new FlowIndex(sharedMemory(), slots, Uint32Array.of(1, 2))
}

test('side 0 is the endpoint that sorts first by address bytes, then port, as unsigned big-endian numbers', () => {
  const cases: [string, number, string, number, 0 | 1][] = [
    ['10.0.0.1', 9, '10.0.0.2', 1, 0],
    ['10.0.0.2', 1, '10.0.0.1', 9, 1],
    ['1.0.0.200', 1, '2.0.0.1', 1, 0],
    ['127.0.0.1', 1, '128.0.0.1', 1, 0],
    ['10.0.0.1', 80, '10.0.0.1', 40000, 0],
    ['10.0.0.1', 40000, '10.0.0.1', 80, 1],
    ['10.0.0.1', 256, '10.0.0.1', 255, 1],
    ['fe80::1', 1, 'fe80::1:0', 1, 0],
    ['2001:db8::ff', 1, '2001:db8::fe', 1, 1],
    ['fe80::', 1, '10::', 1, 1],
  ]
  for (const [source, sourcePort, target, targetPort, side] of cases) {
    const flows = index(4)
    flows.find(eventOf({ address: source, port: sourcePort }, { address: target, port: targetPort }))
    assert.equal(flows.side, side, `${source}:${sourcePort} to ${target}:${targetPort}`)
  }
})

test('both directions find the same slot, and nothing else does', () => {
  const flows = index(8)
  const a = { address: '2001:db8::1', port: 443 }
  const b = { address: '2001:db8::2', port: 50000 }
  assert.equal(flows.find(eventOf(a, b)), -1)
  flows.insert(3)
  assert.equal(flows.find(eventOf(a, b)), 3)
  assert.equal(flows.find(eventOf(b, a)), 3)
  assert.equal(flows.find(eventOf({ ...a, port: 444 }, b)), -1)
  assert.equal(flows.find(eventOf(a, { ...b, address: '2001:db8:1::2' })), -1)
  // The ports change places, the addresses do not: another connection.
  assert.equal(flows.find(eventOf({ ...a, port: b.port }, { ...b, port: a.port })), -1)
})

test('an IPv4 address is not the IPv6 address with the same first bytes', () => {
  const flows = index(8)
  flows.find(eventOf({ address: '1.2.3.4', port: 1 }, { address: '5.6.7.8', port: 2 }))
  flows.insert(0)
  assert.equal(flows.find(eventOf({ address: '102:304::', port: 1 }, { address: '506:708::', port: 2 })), -1)
})

test('a full table with removals in any order behaves like a map', () => {
  const step = fc.record({ port: fc.nat(15), remove: fc.boolean() })
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const flows = index(16)
    const model = new Map<number, number>()
    const free = Array.from({ length: 16 }, (_, slot) => slot)
    const event = (port: number): number => eventOf({ address: '10.0.0.1', port: port + 1 }, { address: '10.0.0.2', port: 80 })
    for (const { port, remove } of steps) {
      const slot = flows.find(event(port))
      assert.equal(slot, model.get(port) ?? -1)
      if (slot >= 0 && remove) {
        flows.remove(slot)
        model.delete(port)
        free.push(slot)
      } else if (slot < 0) {
        const taken = free.pop()!
        flows.insert(taken)
        model.set(port, taken)
      }
      for (let each = 0; each < 16; each++) assert.equal(flows.find(event(each)), model.get(each) ?? -1)
    }
  }), { numRuns: 60 })
})
