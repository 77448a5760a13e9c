import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import * as L from '../../wasm/layout.ts'
import { HeadScanner } from '../decode/http1/mod.ts'
import { headText } from '../decode/testing/head-text.ts'
import { absorbResponse, closeBlock, openBlock } from './block.ts'
import { addInterim, dropInterim, INTERIM_MAX } from './interim.ts'

const memory = new ByteMemory()
const scanner = new HeadScanner(memory)
const input = memory.reserve(1 << 16)

function head(fields: string): number {
  const text = `HTTP/1.1 103 Early Hints\r\n${fields}\r\n`
  memory.write(input, Buffer.from(text, 'latin1'))
  assert.equal(scanner.scan(input, text.length, 0, L.HEAD_KIND_RESPONSE), text.length)
  return scanner.block
}

function interimHead(block: number): number {
  return memory.u32[(block + L.EXCHANGE_INTERIM_HEAD) >>> 2]!
}

function fields(block: number): unknown {
  return interimHead(block) === 0 ? undefined : headText(memory, interimHead(block)).fields
}

function statuses(block: number): number[] {
  return Array.from({ length: memory.u8[block + L.EXCHANGE_INTERIM_COUNT]! }, (_, index) => memory.u16[((block + L.EXCHANGE_INTERIM) >>> 1) + index]!)
}

test('the fields of interim responses stand one behind the other, those without any take no place', () => {
  const before = memory.allocator.allocatedBytes()
  const block = openBlock(memory, 0, 1)
  addInterim(memory, block, 100, head(''))
  assert.deepEqual([statuses(block), fields(block)], [[100], undefined])
  addInterim(memory, block, 103, head('Link: </a>\r\nX-One: 1\r\n'))
  addInterim(memory, block, 102, 0)
  addInterim(memory, block, 103, head('Link: </b>\r\n'))
  addInterim(memory, block, 103, head('X-Long: ' + 'x'.repeat(999) + '\r\n'))
  assert.deepEqual(statuses(block), [100, 103, 102, 103, 103])
  assert.deepEqual(fields(block), [['Link', '</a>'], ['X-One', '1'], ['Link', '</b>'], ['X-Long', 'x'.repeat(999)]])
  dropInterim(memory, block)
  assert.deepEqual([statuses(block), fields(block)], [[], undefined])
  closeBlock(memory, block)
  assert.equal(memory.allocator.allocatedBytes(), before)
})

test('of responses over the sixth the fields are counted as dropped', () => {
  const before = memory.allocator.allocatedBytes()
  const block = openBlock(memory, 0, 1)
  for (let count = 0; count < INTERIM_MAX + 2; count++) addInterim(memory, block, 103, head(`A: ${count}\r\nB: ${count}\r\n`))
  assert.equal((fields(block) as unknown[]).length, 2 * INTERIM_MAX)
  assert.equal(memory.u16[(interimHead(block) + L.HEAD_DROPPED) >>> 1], 4)
  closeBlock(memory, block)
  assert.equal(memory.allocator.allocatedBytes(), before)
})

test('a response that joins its request brings its interim ones', () => {
  const before = memory.allocator.allocatedBytes()
  const [request, response] = [openBlock(memory, 0, 1), openBlock(memory, 0, 2)]
  addInterim(memory, request, 103, head('A: 1\r\n'))
  addInterim(memory, response, 100, head(''))
  addInterim(memory, response, 103, head('A: 2\r\n'))
  absorbResponse(memory, request, response)
  assert.deepEqual([statuses(request), fields(request)], [[103, 100, 103], [['A', '1'], ['A', '2']]])
  closeBlock(memory, request)
  assert.equal(memory.allocator.allocatedBytes(), before)
})
