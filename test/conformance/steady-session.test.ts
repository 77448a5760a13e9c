/**
 * TLS sessions that are read in the clear: what comes out on the steady path is, byte for byte, what comes out of the plain one.
 *
 * Sessions of HTTP/1.1, several at a time, with calls that hold parts of messages or several, with bytes lost and calls cut, go
 * both ways. LINTEL_FUZZ_ROUNDS multiplies their number.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import {
  DIRECTION_EGRESS, DIRECTION_INGRESS, EVENT_PLAINTEXT, FRAME_BYTES, PLAINTEXT_CUT, PLAINTEXT_ENDED, PLAINTEXT_EVENT as E, PLAINTEXT_START,
} from '../../src/capture/mod.ts'
import { ConnectionTable, PlaintextTable } from '../../src/connection/mod.ts'
import type { StreamControl } from '../../src/connection/mod.ts'
import type { Http1Protocol } from '../../src/decode/http1/mod.ts'
import { Pairer } from '../../src/exchange/mod.ts'
import { Random } from './testing/damage.ts'
import { describeExchange } from './testing/describe-exchange.ts'
import { chance } from './testing/harm.ts'
import { PathParts } from './testing/path-log.ts'

const ROUNDS = Number(process.env['LINTEL_FUZZ_ROUNDS'] ?? 1)
const MEETINGS = 60
const MS = 1_000_000

const memory = new ByteMemory()
const { protocol, facts } = new PathParts(memory)
const sleepy = new PathParts(memory).protocol
const room = memory.reserve(1 << 20)

/** What one call of the library read or wrote; the program is the server. */
interface Call {
  readonly session: number
  readonly time: number
  readonly isRead: boolean
  readonly position: number
  readonly text: string
  readonly callLength: number
  readonly flags: number
}

class Path {
  readonly log: string[] = []
  turns = 0
  readonly #pairer: Pairer
  readonly #table: ConnectionTable
  readonly #sleeps: boolean
  readonly #sessions: PlaintextTable

  /** @param sleeps after every call all sessions sleep that are at rest */
  constructor(isSteady: boolean, sleeps = false) {
    this.#sleeps = sleeps
    const exchange = (block: number): void => { this.log.push(describeExchange(memory, block)) }
    this.#pairer = new Pairer(memory, {
      exchange,
      dropped: (reason) => { throw new Error(`Exchange dropped: ${reason}`) },
      anomaly: (_connection, side, name, time) => { this.log.push(`${name} ${side} ${time}`) },
      webSocket: () => {},
    }, { seesBothDirections: true, facts })
    const turn = (block: number): void => {
      this.turns++
      exchange(block)
    }
    const open = (control: StreamControl): ReturnType<Http1Protocol['open']> => (sleeps ? sleepy : protocol).open(control, this.#pairer)
    this.#table = new ConnectionTable(memory, { skip: () => {}, ignore: () => {} }, open, { connectionCountMax: 64 }, {
      plaintext: (event, bytes) => { this.#sessions.take(event, bytes) }, ...(isSteady ? { turn } : {}),
    })
    this.#sessions = new PlaintextTable({
      memory, source: {}, open, wires: this.#table, steady: this.#table.steady, restQueue: this.#table.restQueue, wants: () => 'yes', sessionCountMax: 64, idleMsMax: 5000,
    })
  }

  get slept(): number {
    return this.#table.restQueue.slept
  }

  play(calls: readonly Call[], batch: number): void {
    let last = 0
    for (let first = 0; first < calls.length; first += batch) {
      const group = calls.slice(first, first + batch)
      let end = room
      for (const call of group) end = write(end, call)
      this.#table.process(room, end - room)
      if (this.#sleeps) this.#table.restQueue.sleepAll()
      last = Math.max(last, ...group.map(({ time }) => time))
      this.#sessions.tick(last)
      this.#pairer.tick(last)
    }
    this.#sessions.close(last + 1)
    this.#table.close(last + 1)
    this.log.push(JSON.stringify([...this.#sessions.told(), ...this.#sessions.anomalies()]), `time ${this.#table.time}`)
  }
}

/** One framed event at `at`. @returns the place behind it */
function write(at: number, { session, time, isRead, position, text, callLength, flags }: Call): number {
  const { u8, u16, u32 } = memory
  const event = at + FRAME_BYTES
  const bytes = E.bytes + text.length
  u8.fill(0, at, event + E.bytes)
  u32[at >>> 2] = bytes
  const word = (offset: number, value: number): void => {
    u32[(event + offset) >>> 2] = value >>> 0
    u32[(event + offset + 4) >>> 2] = Math.floor(value / 2 ** 32)
  }
  word(E.time_ns, time)
  word(E.position, position)
  word(E.socket_cookie, session + 100)
  u32[(event + E.session) >>> 2] = session
  u32[(event + E.captured_length) >>> 2] = text.length
  u32[(event + E.call_length) >>> 2] = callLength
  u16[(event + E.data_offset) >>> 1] = E.bytes
  u8[event + E.kind] = EVENT_PLAINTEXT
  u8[event + E.flags] = flags
  u8[event + E.direction] = isRead ? DIRECTION_INGRESS : DIRECTION_EGRESS
  u8[event + E.ip_version] = 4
  u8.set([10, 0, 0, isRead ? 1 : 2], event + E.source_address)
  u8.set([10, 0, 0, isRead ? 2 : 1], event + E.destination_address)
  u16[(event + E.source_port) >>> 1] = isRead ? 40_000 + session : 443
  u16[(event + E.destination_port) >>> 1] = isRead ? 443 : 40_000 + session
  memory.write(event + E.bytes, Buffer.from(text, 'latin1'))
  return event + ((bytes + 7) & ~7)
}

const MORE = ['', 'User-Agent: x/1\r\n', 'Connection: close\r\n', 'Expect: 100-continue\r\n']

function request(random: Random, exchange: number): string {
  const body = 'x'.repeat(random.below(3) > 0 ? 0 : random.below(300))
  const more = MORE[random.below(60) > 0 ? random.below(2) : 2 + random.below(2)]!
  const framing = body === '' ? '' : `Content-Length: ${body.length}\r\n`
  return `${body !== '' ? 'POST' : random.below(8) === 0 ? 'HEAD' : 'GET'} /${exchange} HTTP/1.1\r\nHost: a\r\n${more}${framing}\r\n${body}`
}

function response(random: Random, asked: string): string {
  const body = 'y'.repeat(random.below(400))
  const length = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`
  if (asked.startsWith('HEAD')) return length
  switch (random.below(60)) {
    case 0: return 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'
    case 1: return `HTTP/1.1 100 Continue\r\n\r\n${length}${body}`
    case 2: return `HTTP/1.0 200 OK\r\n\r\n`
    case 3: case 4: case 5: case 6: case 7:
      return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${(body.length + 1).toString(16)}\r\n${body}!\r\n0\r\n\r\n`
    default: return length + body
  }
}

/** The calls of one session, in their order; `rough`: in how many of 100 something is out of the ordinary. */
function talk(random: Random, session: number, rough: number): Call[] {
  const calls: Call[] = []
  const at = { read: 1e3 * random.below(2) * 2 ** 32, written: 0 }
  const flags = at.read === 0 ? PLAINTEXT_START : 0
  let time = MS * (1 + random.below(1000))
  const call = (isRead: boolean, text: string): void => {
    time += random.below(3) === 0 ? random.below(300) * MS : 1000 + random.below(MS)
    const way = isRead ? 'read' : 'written'
    const isCut = random.below(1000) < rough
    const kept = isCut ? text.slice(0, random.below(text.length + 1)) : text
    const isLost = random.below(500) < rough
    const marks = flags | (isCut ? PLAINTEXT_CUT : 0)
    if (!isLost) calls.push({ session, time, isRead, position: at[way], text: kept, callLength: text.length, flags: marks })
    at[way] += text.length
  }
  const say = (isRead: boolean, text: string): void => {
    const split = random.below(100) < rough ? random.below(text.length) : 0
    if (split > 0) call(isRead, text.slice(0, split))
    call(isRead, text.slice(split))
  }
  const exchanges = 3 + random.below(40)
  for (let exchange = 1; exchange <= exchanges; exchange++) {
    const asked = request(random, exchange)
    const more = random.below(400) < rough ? request(random, ++exchange) : ''
    say(true, asked + more)
    say(false, response(random, asked) + (more === '' ? '' : response(random, more)))
  }
  const end = { session, time: time + 1, isRead: true, position: at.read, text: '', callLength: 0, flags: flags | PLAINTEXT_ENDED }
  return random.below(2) === 0 ? [...calls, end] : calls
}

for (const rough of [0, 2, 10]) {
  test(`sessions of which ${rough} % of the calls are odd give the same on both paths`, (context) => {
    const before = memory.allocator.allocatedBytes()
    const random = new Random(5 + rough)
    const [plain, steady, ...sleeping] = [new Path(false), new Path(true), new Path(false, true), new Path(true, true)]
    let exchanges = 0
    for (let meeting = 0; meeting < MEETINGS * ROUNDS; meeting++) {
      const calls = Array.from({ length: 1 + random.below(4) }, (_, index) => talk(random, meeting * 8 + index + 1, rough)).flat()
      calls.sort((a, b) => a.time - b.time || a.session - b.session)
      const batch = 1 + (chance(random, 3) ? 0 : random.below(9))
      for (const path of [plain, steady, ...sleeping]) path.play(calls, batch)
      exchanges += plain.log.length
      const expected = plain.log.splice(0)
      for (const path of [steady, ...sleeping]) assert.deepEqual(path.log.splice(0), expected, `meeting ${meeting}`)
    }
    context.diagnostic(`${steady.turns} of some ${exchanges} exchanges went by on the steady path`)
    assert.ok(steady.turns > exchanges / (rough === 10 ? 50 : 10), `only ${steady.turns} of ${exchanges}`)
    for (const { slept } of sleeping) assert.ok(slept > exchanges / 10, `only ${slept} slept`)
    assert.equal(memory.allocator.allocatedBytes(), before)
  })
}
