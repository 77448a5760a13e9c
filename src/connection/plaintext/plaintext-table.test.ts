import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DIRECTION_EGRESS, DIRECTION_INGRESS, EVENT_PLAINTEXT, PLAINTEXT_CLOSED, PLAINTEXT_CUT, PLAINTEXT_ENDED, PLAINTEXT_EVENT as E,
  PLAINTEXT_SOCKET, PLAINTEXT_START, PLAINTEXT_WRITE_ENDED,
} from '../../capture/mod.ts'
import { sharedMemory } from '../testing/recorded-table.ts'
import type { Side, StreamControl, StreamHandler } from '../stream.ts'
import { PlaintextTable } from './plaintext-table.ts'
import type { PlaintextOptions } from './plaintext-table.ts'

const MILLISECOND = 1e6

interface Fields {
  session?: number
  /** Default: the program wrote it. */
  isRead?: boolean
  position?: number
  flags?: number
  /** 0 = not known; default a cookie of the session's own. */
  cookie?: number
  /** Which end the probed program is: `a` = 10.0.0.1:40000, `b` = 10.0.0.2:443. */
  end?: 'a' | 'b'
  callLength?: number
  /** Of end `a`; default 40,000. */
  port?: number
}

/** A table whose handlers note what they are called with. */
class Recorded {
  readonly memory = sharedMemory()
  readonly before = this.memory.allocator.allocatedBytes()
  readonly log: string[] = []
  readonly controls: StreamControl[] = []
  readonly directives: string[] = []
  readonly table: PlaintextTable
  now = 1000 * MILLISECOND
  onData: (control: StreamControl, side: Side) => void = () => {}
  #ids = 0

  constructor(options: Partial<PlaintextOptions> = {}) {
    this.table = new PlaintextTable({
      memory: this.memory,
      source: {
        skipPlaintext: (session, isWritten, until) => { this.directives.push(`skip ${session} ${isWritten ? 'written' : 'read'} ${until}`) },
        ignorePlaintext: (session) => { this.directives.push(`ignore ${session}`) },
      },
      wires: { find: () => undefined, takeId: () => ++this.#ids },
      open: (control) => this.#handler(control),
      wants: () => 'yes',
      sessionCountMax: 64,
      idleMsMax: 60_000,
      ...options,
    })
  }

  #handler(control: StreamControl): StreamHandler {
    this.controls.push(control)
    const note = (side: Side, text: string): void => { this.log.push(`${control.id}.${side} ${text}`) }
    return {
      data: (side, pointer, length) => {
        note(side, this.memory.latin1(pointer, length))
        this.onData(control, side)
      },
      gap: (side, length, cause) => { note(side, `gap ${length} ${cause}`) },
      skipped: (side) => { note(side, 'skipped') },
      end: (side, cause) => { note(side, `end ${cause}`) },
    }
  }

  event(text: string, fields: Fields = {}): this {
    const { session = 1, isRead = false, position = 0, flags = PLAINTEXT_START, end = 'a', port = 40_000 } = fields
    const { cookie = session + 100 } = fields
    const bytes = E.bytes + text.length
    const at = this.memory.allocator.alloc(bytes)
    const { u8, u16, u32 } = this.memory
    u8.fill(0, at, at + E.bytes)
    const word = (offset: number, value: number): void => {
      u32[(at + offset) >>> 2] = value >>> 0
      u32[(at + offset + 4) >>> 2] = Math.floor(value / 2 ** 32)
    }
    this.now += 1000
    word(E.time_ns, this.now)
    word(E.position, position)
    word(E.socket_cookie, cookie)
    u32[(at + E.session) >>> 2] = session
    u32[(at + E.captured_length) >>> 2] = text.length
    u32[(at + E.call_length) >>> 2] = fields.callLength ?? text.length
    u16[(at + E.data_offset) >>> 1] = E.bytes
    u8[at + E.kind] = EVENT_PLAINTEXT
    u8[at + E.flags] = flags
    u8[at + E.direction] = isRead ? DIRECTION_INGRESS : DIRECTION_EGRESS
    if (cookie !== 0) {
      u8[at + E.ip_version] = 4
      const isSourceA = (end === 'a') !== isRead
      u8.set([10, 0, 0, isSourceA ? 1 : 2], at + E.source_address)
      u8.set([10, 0, 0, isSourceA ? 2 : 1], at + E.destination_address)
      u16[(at + E.source_port) >>> 1] = isSourceA ? port : 443
      u16[(at + E.destination_port) >>> 1] = isSourceA ? 443 : port
    }
    this.memory.write(at + E.bytes, Buffer.from(text, 'latin1'))
    this.table.take(at, bytes)
    this.memory.allocator.free(at, bytes)
    return this
  }

  /** Milliseconds pass. */
  tick(ms: number): this {
    this.now += ms * MILLISECOND
    this.table.tick(this.now)
    return this
  }

  /** Ends the run: everything must be given back. */
  close(): void {
    this.table.close(this.now)
    assert.equal(this.memory.allocator.allocatedBytes(), this.before)
  }
}

test('a server\'s session gives what it reads and writes, in order, and ends with it', () => {
  const t = new Recorded()
  t.event('GET', { end: 'b', isRead: true }).event(' /', { end: 'b', isRead: true, position: 3 }).event('200', { end: 'b' })
  t.event('', { end: 'b', flags: PLAINTEXT_START | PLAINTEXT_ENDED })
  assert.deepEqual(t.log, ['1.0 GET', '1.0  /', '1.1 200', '1.0 end fin', '1.1 end fin'])
  assert.equal(t.controls[0]!.fromStart, true)
  assert.equal(t.controls[0]!.isPlaintext, true)
  assert.equal(t.table.size, 0)
  t.close()
})

test('bytes that were counted and did not come are a gap of that length; a call that was cut says so', () => {
  const t = new Recorded()
  t.event('abc', { end: 'b', isRead: true, position: 5 }).event('def', { end: 'b', isRead: true, position: 10 })
  t.event('gh', { end: 'b', isRead: true, position: 13, callLength: 9, flags: PLAINTEXT_START | PLAINTEXT_CUT })
  t.event('i', { end: 'b', isRead: true, position: 22 })
  assert.deepEqual(t.log, ['1.0 gap 5 lost', '1.0 abc', '1.0 gap 2 lost', '1.0 def', '1.0 gh', '1.0 gap 7 cut', '1.0 i'])
  assert.equal(t.table.count('plaintext_bytes_lost'), 14)
  t.close()
})

test('a session joined mid-way begins where it is met, without a gap', () => {
  const t = new Recorded()
  t.event('abc', { end: 'b', isRead: true, position: 500, flags: 0 }).tick(110)
  assert.deepEqual(t.log, ['1.0 abc'])
  assert.equal(t.controls[0]!.fromStart, false)
  assert.equal(t.table.count('plaintext_late_join'), 1)
  t.close()
})

test('what is skipped is told to the source, passes without a gap, and its end is told, wherever it falls', () => {
  for (const skipped of [0, 3000, 5000]) {
    const t = new Recorded()
    t.onData = (control, side) => { if (t.log.length === 1) control.skip(side, skipped) }
    t.event('head', { end: 'b', isRead: true })
    if (skipped === 0) assert.deepEqual(t.log, ['1.0 head', '1.0 skipped'])
    else assert.deepEqual(t.directives, [`skip 1 read ${4 + skipped}`])
    // The source left out what came before position 3,004; the rest of the skip comes all the same.
    if (skipped > 0) t.event('x'.repeat(2000) + 'next', { end: 'b', isRead: true, position: 3004 })
    if (skipped === 3000) assert.deepEqual(t.log, ['1.0 head', '1.0 skipped', `1.0 ${'x'.repeat(2000)}next`])
    if (skipped === 5000) assert.deepEqual(t.log, ['1.0 head', '1.0 skipped', '1.0 next'])
    t.close()
  }
})

test('an event without bytes at the end of a skip tells it', () => {
  const t = new Recorded()
  t.onData = (control, side) => { if (t.log.length === 1) control.skip(side, 4000) }
  t.event('head', { end: 'b', isRead: true }).event('', { end: 'b', isRead: true, position: 4004 })
  assert.deepEqual(t.log, ['1.0 head', '1.0 skipped'])
  t.close()
})

test('of two ends the server\'s tells, also when the client\'s shows first; the client\'s is ignored', () => {
  const t = new Recorded()
  t.event('GET', { session: 1, end: 'a' })
  assert.deepEqual(t.log, [])
  t.event('GET', { session: 2, end: 'b', isRead: true }).event('200', { session: 2, end: 'b' })
  t.event('200', { session: 1, end: 'a', isRead: true })
  assert.deepEqual(t.log, ['1.0 GET', '1.1 200'])
  assert.deepEqual(t.directives, ['ignore 1'])
  assert.equal(t.table.count('plaintext_other_end'), 1)
  t.close()
})

test('the client\'s end stays silent when it is told to wait no longer, or shows itself, only after its server has ended', () => {
  const told = ['1.0 GET', '1.1 200', '1.0 end fin', '1.1 end fin']
  const server = (t: Recorded): Recorded => t.event('GET', { session: 2, end: 'b', isRead: true }).event('200', { session: 2, end: 'b' })
    .event('', { session: 2, end: 'b', flags: PLAINTEXT_START | PLAINTEXT_ENDED })
  // Killed before it read its answer; its socket was closed while its bytes waited.
  const killed = server(new Recorded().event('GET', { session: 1, end: 'a' }))
  killed.event('', { session: 0, flags: PLAINTEXT_CLOSED, cookie: 101 }).tick(50).tick(60).tick(300)
  assert.deepEqual([killed.log, killed.table.size, killed.table.count('plaintext_other_end')], [told, 0, 1])
  killed.close()
  // Its calls returned late.
  const late = server(new Recorded()).event('GET', { session: 1, end: 'a' }).event('200', { session: 1, end: 'a', isRead: true })
  assert.deepEqual([late.log, late.table.count('plaintext_other_end'), late.table.count('plaintext_replaced')], [told, 1, 0])
  late.close()
  // Another connection on the same ports is its own.
  const again = server(new Recorded())
  again.event('GET', { session: 3, end: 'b', isRead: true }).event('GET', { session: 1, end: 'a' }).tick(110)
  assert.deepEqual([again.log.slice(4), again.table.count('plaintext_other_end')], [['2.0 GET'], 1])
  again.close()
  // After a while there is no late end any more.
  const after = server(new Recorded()).tick(500).event('GET', { session: 1, end: 'a' }).tick(110)
  assert.deepEqual(after.log.slice(4), ['2.0 GET'])
  after.close()
})

test('an end that was met under way waits for one that saw the start', () => {
  const t = new Recorded()
  // The server's socket is known with its second request only; of the client the first request was not seen.
  t.event('GET 1', { session: 2, end: 'b', isRead: true, cookie: 0 }).event('200', { session: 2, end: 'b', cookie: 0 })
  t.event('200', { session: 1, end: 'a', isRead: true, flags: 0 }).event('GET 2', { session: 1, end: 'a', flags: 0 })
  t.event('GET 2', { session: 2, end: 'b', isRead: true, position: 5 }).event('200', { session: 1, end: 'a', isRead: true, position: 3, flags: 0 })
  t.tick(110)
  assert.deepEqual(t.log, ['1.0 GET 1', '1.1 200', '1.0 GET 2'])
  assert.deepEqual([t.table.count('plaintext_late_join'), t.table.count('plaintext_other_end')], [0, 1])
  t.close()
})

test('a socket that is closed while the first bytes wait ends its session', () => {
  const t = new Recorded()
  t.event('GET', { end: 'a' }).event('', { session: 0, flags: PLAINTEXT_CLOSED, cookie: 101 }).tick(110).tick(300)
  assert.deepEqual([t.log, t.table.size], [['1.0 GET', '1.0 end fin', '1.1 end fin'], 0])
  t.close()
})

test('a socket that is closed before the first bytes are told ends its session too', () => {
  const t = new Recorded()
  t.event('', { session: 0, flags: PLAINTEXT_CLOSED, cookie: 101 }).event('GET', { end: 'a' }).tick(110).tick(300)
  assert.deepEqual([t.log, t.table.size], [['1.0 GET', '1.0 end fin', '1.1 end fin'], 0])
  // What is remembered of sockets is bounded: the oldest are forgotten.
  for (let cookie = 1; cookie <= 5000; cookie++) t.event('', { session: 0, flags: PLAINTEXT_CLOSED, cookie })
  t.event('GET', { session: 2, end: 'a', cookie: 1 }).event('GET', { session: 3, end: 'a', port: 1, cookie: 5000 }).tick(500).tick(900)
  assert.equal(t.table.size, 1)
  t.close()
})

test('homes that have ended take no room from those that are open', () => {
  const t = new Recorded({ sessionCountMax: 2 })
  for (let session = 1; session < 20; session++) {
    t.event('GET', { session, end: session % 2 === 0 ? 'a' : 'b', isRead: true, port: 1000 + session })
    if (session % 3 !== 0) t.event('', { session, flags: PLAINTEXT_START | PLAINTEXT_ENDED })
  }
  assert.equal(t.log.filter((line) => line.endsWith('GET')).length, 19)
  t.close()
})

test('a client whose server is not read tells its connection once it has an answer, or has waited', () => {
  const t = new Recorded()
  t.event('GET', { end: 'a' }).event('200', { end: 'a', isRead: true })
  assert.deepEqual(t.log, ['1.0 GET', '1.1 200'])
  t.event('GET', { session: 2, end: 'a', cookie: 0 }).tick(50)
  assert.equal(t.log.length, 2)
  t.tick(200)
  assert.equal(t.log.length, 3)
  t.close()
})

test('a session whose socket comes later waits for it, and has its addresses', () => {
  const t = new Recorded()
  t.event('GET', { cookie: 0 }).event('', { flags: PLAINTEXT_START | PLAINTEXT_SOCKET, position: 3 }).event('200', { isRead: true })
  assert.deepEqual(t.log, ['1.0 GET', '1.1 200'])
  assert.equal(t.table.count('plaintext_without_socket'), 0)
  t.close()
})

test('a session whose socket never comes is given on without, and counted', () => {
  const t = new Recorded()
  t.event('GET', { cookie: 0 }).tick(300).event('200', { cookie: 0, isRead: true })
  assert.deepEqual(t.log, ['1.0 GET', '1.1 200'])
  assert.equal(t.table.count('plaintext_without_socket'), 1)
  t.close()
})

test('a socket that is closed ends its session, after what its program may still read', () => {
  const t = new Recorded()
  t.event('GET', { end: 'b', isRead: true })
  t.event('', { session: 0, flags: PLAINTEXT_CLOSED, cookie: 101 }).event('!', { end: 'b', isRead: true, position: 3 })
  assert.deepEqual(t.log, ['1.0 GET', '1.0 !'])
  t.tick(300)
  assert.deepEqual(t.log.slice(2), ['1.0 end fin', '1.1 end fin'])
  t.close()
})

test('close_notify ends what the program writes, not what it reads', () => {
  const t = new Recorded()
  t.event('GET', { end: 'b', isRead: true }).event('', { end: 'b', flags: PLAINTEXT_START | PLAINTEXT_WRITE_ENDED })
  t.event('more', { end: 'b', isRead: true, position: 3 })
  assert.deepEqual(t.log, ['1.0 GET', '1.1 end fin', '1.0 more'])
  t.close()
})

test('what is not wanted, and what is ignored, is told to the source and not given on', () => {
  const refused = new Recorded({ wants: () => 'no' })
  refused.event('GET', { end: 'b', isRead: true }).event('more', { end: 'b', isRead: true, position: 3 })
  assert.deepEqual([refused.log, refused.directives], [[], ['ignore 1']])
  refused.close()
  const t = new Recorded()
  t.onData = (control) => { control.ignore() }
  t.event('SSH-', { end: 'b', isRead: true }).event('more', { end: 'b', isRead: true, position: 4 })
  assert.deepEqual([t.log, t.directives], [['1.0 SSH-'], ['ignore 1']])
  t.close()
})

test('a filter that asks for a socket is answered once that is known: bytes before are left out, and counted', () => {
  const t: Recorded = new Recorded({ wants: (event) => (t.memory.u8[event + E.ip_version] === 0 ? 'unknown' : 'yes') })
  t.event('GET', { cookie: 0 }).event('200', { cookie: 0, isRead: true }).tick(300).event('GET', { cookie: 0, position: 3 }).tick(300)
  assert.deepEqual([t.log, t.directives], [[], []])
  assert.equal(t.table.count('plaintext_undecided'), 1)
  t.event('GET', { cookie: 0, position: 6 }).event('', { flags: PLAINTEXT_START | PLAINTEXT_SOCKET, position: 9 }).event('200', { isRead: true, position: 3 })
  assert.deepEqual(t.log, ['1.0 GET', '1.1 200'])
  assert.equal(t.controls[0]!.fromStart, false)
  t.event('never', { session: 2, cookie: 0 }).event('', { session: 2, cookie: 0, position: 5, flags: PLAINTEXT_ENDED })
  assert.equal(t.table.count('plaintext_undecided'), 2)
  assert.deepEqual([...t.table.anomalies()].filter(([, count]) => count > 0), [['plaintext_late_join', 1], ['plaintext_undecided', 2]])
  t.close()
})

test('what became of sessions is told by name', () => {
  let verdict: 'yes' | 'no' = 'no'
  const t = new Recorded({ wants: () => verdict })
  t.event('GET', { session: 1, end: 'b', isRead: true })
  verdict = 'yes'
  t.event('GET', { session: 2, end: 'b', isRead: true, position: 4 }).event('200', { session: 3, end: 'a', isRead: true }).tick(61_000)
  assert.deepEqual(Object.fromEntries(t.table.told()), { opened: 1, other_end: 1, not_wanted: 1, idle: 3, bytes_lost: 4 })
  t.close()
})

test('bounds: the oldest session makes room, an idle one ends, a later connection replaces one on the same ports', () => {
  const t = new Recorded({ sessionCountMax: 2 })
  for (const session of [1, 2, 3]) t.event('GET', { session, end: 'b', isRead: true, cookie: 0 })
  assert.equal(t.table.size, 2)
  assert.equal(t.table.count('plaintext_evicted'), 1)
  t.tick(61_000)
  assert.equal(t.table.size, 0)
  assert.equal(t.table.count('plaintext_idle'), 2)
  t.close()
  const again = new Recorded()
  again.event('one', { session: 1, end: 'b', isRead: true }).event('two', { session: 2, end: 'b', isRead: true })
  assert.deepEqual(again.log, ['1.0 one', '1.0 end replaced', '1.1 end replaced', '2.0 two'])
  again.close()
})

test('events that contradict themselves are counted and give nothing', () => {
  const t = new Recorded()
  t.event('abc', { end: 'b', isRead: true, callLength: 1 })
  t.event('abc', { session: 0 })
  t.event('abc', { end: 'b', isRead: true }).event('again', { end: 'b', isRead: true, position: 1 })
  assert.deepEqual(t.log, ['1.0 abc'])
  assert.equal(t.table.count('plaintext_malformed'), 3)
  t.close()
})
