import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FRAME_BYTES } from '../capture/mod.ts'
import * as L from '../../wasm/layout.ts'
import { ConnectionTable } from './connection-table.ts'
import type { ConnectionEvents } from './connection-events.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import type { StreamControl } from './stream.ts'
import { MILLISECOND, sharedMemory } from './testing/recorded-table.ts'
import { SegmentBuilder } from './testing/segment-builder.ts'
import type { SegmentFields } from './testing/segment-builder.ts'

const REQUEST = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi'
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const SERVER = { address: '10.0.0.2', port: 80 }

const memory = sharedMemory()
const builder = new SegmentBuilder(memory, 65536)

/** A table whose handlers are at rest after every response; connections by the client's port. */
class Turns {
  readonly log: string[] = []
  readonly table: ConnectionTable
  readonly #before = memory.allocator.allocatedBytes()
  readonly #sent = new Map<number, [number, number]>()
  now = 0

  constructor(limits: Partial<ConnectionLimits> = {}, events: ConnectionEvents = {}) {
    const source = { skip: () => {}, ignore: () => {} }
    this.table = new ConnectionTable(memory, source, (control) => this.#handler(control), limits, {
      turn: (exchange) => { this.log.push(`turn ${memory.u32[(exchange + L.EXCHANGE_DEPTH) >>> 2]}`) },
      ...events,
    })
  }

  #handler(control: StreamControl): ReturnType<ConstructorParameters<typeof ConnectionTable>[2]> {
    let depth = 0
    return {
      data: (side, pointer, length) => {
        // The steady path gives of a request's body its length only.
        const text = memory.latin1(pointer, length).replace(/\r\n[^]*/, '')
        this.log.push(`${control.id}.${side} ${text} (${length})`)
        if (control.client === undefined) control.setClient(side)
        if (side === control.client || !text.startsWith('HTTP/')) return
        depth++
        control.rested!()
      },
      gap: (side, length, cause) => { this.log.push(`${control.id}.${side} gap ${length} ${cause}`) },
      skipped: () => {},
      end: (side, cause) => { this.log.push(`${control.id}.${side} end ${cause}`) },
      rest: () => depth,
      passed: ({ count }) => {
        depth += count
        this.log.push(`${control.id} passed ${count}`)
      },
    }
  }

  send(port: number, isClient: boolean, flags: string, payload = '', more: Partial<SegmentFields> = {}): void {
    this.now += MILLISECOND
    const sent = this.#sent.get(port) ?? [1000, 5000]
    this.#sent.set(port, sent)
    const [me, peer] = isClient ? [0, 1] as const : [1, 0] as const
    const ends = [{ address: '10.0.0.1', port }, SERVER] as const
    builder.clear().add({
      from: ends[me], to: ends[peer], flags, sequence: sent[me], acknowledgement: flags === 'S' ? 0 : sent[peer], payload, time: this.now, ...more,
    })
    this.table.process(builder.pointer, builder.length)
    sent[me] += payload.length + (/[SF]/.test(flags) ? 1 : 0)
  }

  open(port: number): this {
    this.send(port, true, 'S')
    this.send(port, false, 'SA')
    this.send(port, true, 'A')
    return this
  }

  turns(port: number, count: number): this {
    for (let turn = 0; turn < count; turn++) {
      this.send(port, true, 'PA', REQUEST)
      this.send(port, false, 'PA', RESPONSE)
    }
    return this
  }

  take(): string[] {
    return this.log.splice(0)
  }

  close(): void {
    this.table.close(this.now)
    assert.equal(memory.allocator.allocatedBytes() - this.#before, 0)
  }
}

test('after the second exchange whole turns go by; the first packet that is anything else brings all back', () => {
  const turns = new Turns().open(4000).turns(4000, 2)
  turns.take()
  turns.turns(4000, 3)
  assert.deepEqual(turns.take(), ['turn 3', 'turn 4', 'turn 5'])
  turns.send(4000, true, 'FA')
  assert.deepEqual(turns.take(), ['1 passed 3', '1.0 end fin'])
  turns.close()
})

test('a request whose response is not whole comes to the handler, its body as a length, and then the response', () => {
  const turns = new Turns().open(4000).turns(4000, 3)
  turns.take()
  turns.send(4000, true, 'PA', REQUEST)
  assert.deepEqual(turns.take(), [])
  turns.send(4000, false, 'PA', RESPONSE.slice(0, 30))
  assert.deepEqual(turns.take(), ['1 passed 1', `1.0 POST /a HTTP/1.1 (${REQUEST.length})`, '1.1 HTTP/1.1 200 OK (30)'])
  turns.close()
})

test('a connection that is soon brought back stays longer and longer on the plain path', () => {
  const turns = new Turns().open(4000)
  const plain: number[] = []
  for (let round = 0; round < 4; round++) {
    let exchanges = 0
    for (turns.take(); !turns.take().some((line) => line.startsWith('turn')); exchanges++) turns.turns(4000, 1)
    plain.push(exchanges)
    // The double that another interface shows.
    turns.send(4000, true, 'A', '', { interfaceIndex: 2 })
  }
  assert.deepEqual(plain.map((count, index) => index > 0 && count > plain[index - 1]!), [false, true, true, true], `${plain}`)
  turns.close()
})

test('what goes by counts as traffic: for the idle limit, and for who must go when the table is full', () => {
  const turns = new Turns({ idleMsMax: 1000, connectionCountMax: 2 })
  turns.open(4000).turns(4000, 2).open(4001).turns(4001, 1)
  for (let step = 0; step < 30; step++) {
    turns.turns(4000, 1)
    turns.now += 20 * MILLISECOND
    turns.table.tick(turns.now)
  }
  turns.take()
  turns.open(4002)
  assert.deepEqual(turns.take(), ['2.0 end evicted', '2.1 end evicted'])
  turns.now += 1001 * MILLISECOND
  turns.table.tick(turns.now)
  assert.deepEqual(turns.take(), ['1 passed 30', '1.0 end idle', '1.1 end idle'])
  turns.close()
})

test('what went by counts as traffic when the connection is taken back by no packet of its own', () => {
  const turns = new Turns({ idleMsMax: 1000 })
  turns.open(4000).turns(4000, 2)
  turns.now += 990 * MILLISECOND
  turns.turns(4000, 1)
  turns.table.leaveSteady()
  turns.take()
  turns.now += 500 * MILLISECOND
  turns.table.tick(turns.now)
  assert.deepEqual(turns.take(), [])
  turns.now += 501 * MILLISECOND
  turns.table.tick(turns.now)
  assert.deepEqual(turns.take(), ['1.0 end idle', '1.1 end idle'])
  turns.close()
})

test('the connection that is idle for longest goes first, whichever path its packets went', () => {
  const turns = new Turns({ connectionCountMax: 3 })
  turns.open(4000).turns(4000, 2)
  turns.open(4001).turns(4001, 1).open(4002)
  turns.turns(4000, 1)
  turns.turns(4001, 1).turns(4002, 1)
  turns.take()
  turns.open(4003)
  assert.deepEqual(turns.take(), ['1 passed 1', '1.0 end evicted', '1.1 end evicted'])
  turns.close()
})

test('each is idle from its own last packet on, whichever path that went', () => {
  const turns = new Turns({ idleMsMax: 1000 })
  turns.open(4000).turns(4000, 2)
  turns.now += 500 * MILLISECOND
  turns.turns(4000, 1)
  turns.now += 300 * MILLISECOND
  turns.open(4001)
  for (const [pause, ended] of [[250, []], [480, ['1 passed 1', '1.0 end idle', '1.1 end idle']]] as const) {
    turns.take()
    turns.now += pause * MILLISECOND
    turns.table.tick(turns.now)
    assert.deepEqual(turns.take(), ended)
  }
  turns.close()
})

test('who wants every packet gets it, and who changes what is wanted gets all back', () => {
  let packets = 0
  const all = new Turns({}, { packet: () => { packets++ } }).open(4000).turns(4000, 4)
  assert.equal(packets, 11)
  assert.ok(!all.take().some((line) => line.startsWith('turn')))
  all.close()
  const turns = new Turns().open(4000).turns(4000, 4)
  turns.take()
  turns.table.leaveSteady()
  assert.deepEqual(turns.take(), ['1 passed 2'])
  turns.close()
})

const NOT_OF_A_TURN: Readonly<Record<string, Partial<SegmentFields>>> = {
  'another interface': { interfaceIndex: 2 },
  'another direction': { direction: 2 },
  'a tunnel': { tunnel: 1 },
  'another tag': { tag: 9 },
  'a cut payload': { captured: 10 },
  'a front left out': { skipped: 4 },
  'bytes that were there': { sequence: 1001 },
  'bytes further on': { sequence: 9000 },
  'an old acknowledgement': { acknowledgement: 5001 },
  'a reset': { flags: 'RA' },
  'no acknowledgement': { flags: 'P' },
}

for (const [name, fields] of Object.entries(NOT_OF_A_TURN)) {
  test(`${name} is no packet of a turn`, () => {
    const turns = new Turns().open(4000).turns(4000, 4)
    turns.take()
    turns.send(4000, true, 'PA', REQUEST, fields)
    assert.equal(turns.take()[0], '1 passed 2')
    turns.close()
  })
}

const NOT_PLAIN: readonly string[] = [
  'GET / HTTP/1.0\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', `${REQUEST}!`, REQUEST.slice(0, -1), REQUEST + REQUEST,
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '\x16\x03\x01garbage',
]

for (const text of NOT_PLAIN) {
  test(`${JSON.stringify(text)} goes the plain path`, () => {
    const turns = new Turns().open(4000).turns(4000, 4)
    turns.take()
    turns.send(4000, true, 'PA', text)
    assert.deepEqual(turns.take(), ['1 passed 2', `1.0 ${text.replace(/\r\n[^]*/, '')} (${text.length})`])
    turns.close()
  })
}

const RESPONSES: Readonly<Record<string, boolean>> = {
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n': true,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n': true,
  'HTTP/1.1 204 No Content\r\n\r\n': true,
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n': true,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n': false,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n': false,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00\r\n\r\n': false,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\r\n0\r\n\r\n': false,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n': false,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nhello\r\n0\r\n\r\n': false,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n!': false,
  'HTTP/1.1 200 OK\r\n\r\nuntil close': false,
  'HTTP/1.1 100 Continue\r\n\r\n': false,
  'HTTP/1.1 204 No Content\r\n\r\nbody': false,
}

for (const [text, isTurn] of Object.entries(RESPONSES)) {
  test(`${JSON.stringify(text)} ${isTurn ? 'ends a turn' : 'goes the plain path'}`, () => {
    const turns = new Turns().open(4000).turns(4000, 4)
    turns.take()
    turns.send(4000, true, 'PA', REQUEST)
    turns.send(4000, false, 'PA', text)
    assert.equal(turns.take()[0], isTurn ? 'turn 5' : '1 passed 2')
    turns.close()
  })
}

test('connections that come and go in any order are found by their addresses and ports, and by nothing else', () => {
  interface Index { keepSteady(block: number): number; dropSteady(block: number): void; findSteady(owner: number, event: number): number }
  const index = memory.exports<Index>()
  const OWNER = 0x7fffffff
  const blocks = Array.from({ length: 12 }, (_, at) => {
    const block = memory.allocator.alloc(L.STEADY_BYTES)
    memory.u8.fill(0, block, block + L.STEADY_BYTES)
    const isSix = at % 2 === 1
    const ends = isSix ? [[0x20, 1, 13, at], [0x20, 1, 14, 1]] : [[10, 0, 0, 1], [10, 0, 0, 2]]
    ends.forEach((bytes, end) => memory.write(block + end * 16, Uint8Array.from(bytes)))
    memory.u32[(block + L.STEADY_PORTS) >>> 2] = (3000 + at) | (80 << 16)
    memory.u32[(block + L.STEADY_VERSION) >>> 2] = isSix ? 6 : 4
    memory.u32[(block + L.STEADY_OWNER) >>> 2] = OWNER
    return block
  })
  const addressOf = (at: number): [string, string] =>
    at % 2 === 1 ? [`2001:${(13 * 256 + at).toString(16)}::`, '2001:e01::'] : ['10.0.0.1', '10.0.0.2']
  const find = (at: number, owner = OWNER): number => {
    const [from, to] = addressOf(at)
    builder.clear().add({ from: { address: from, port: 3000 + at }, to: { address: to, port: 80 } })
    return index.findSteady(owner, builder.pointer + FRAME_BYTES)
  }
  fc.assert(fc.property(fc.array(fc.nat(11), { maxLength: 100 }), (steps) => {
    const kept = new Set<number>()
    for (const at of steps) {
      if (kept.delete(at)) index.dropSteady(blocks[at]!)
      else {
        assert.equal(index.keepSteady(blocks[at]!), 1)
        kept.add(at)
      }
      for (let each = 0; each < 12; each++) assert.equal(find(each), kept.has(each) ? blocks[each] : 0, `block ${each}`)
      assert.equal(find(at, OWNER - 1), 0)
    }
    for (const at of kept) index.dropSteady(blocks[at]!)
  }), { numRuns: 60 })
  for (const block of blocks) memory.allocator.free(block, L.STEADY_BYTES)
})
