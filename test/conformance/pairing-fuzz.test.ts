/**
 * Whatever a capture did to the order and the presence of packets, no response is logged with a request that it does not answer.
 *
 * Each conversation numbers its requests (path) and responses (field `x-id`), so that every pair can be judged.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { TcpConversation } from '../../lib/pcap/builder.ts'
import type { LogRecord } from './testing/log-record.ts'
import { Random } from './testing/damage.ts'
import { capture } from './testing/packet-list.ts'
import { Replayer } from './testing/replay.ts'

const FIRST_PORT = 10_000
const CONVERSATIONS = 400

const folder = mkdtempSync(join(tmpdir(), 'lintel-pairing-'))
after(() => { rmSync(folder, { recursive: true, force: true }) })
const replayer = new Replayer({ fields: ['http.response.header'] })

type Change = (conversation: TcpConversation, random: Random) => void

/** One of a number of clients: depth 1 waits for each response, deeper ones send as many requests at once. */
function converse(random: Random, depth: number, port: number): TcpConversation {
  const conversation = new TcpConversation({
    clientPort: port, mss: random.below(2) === 0 ? 1460 : 60 + random.below(200),
    clientSequence: random.below(2 ** 31) * 2, serverSequence: random.below(2 ** 31) * 2,
  }).open()
  const exchanges = 1 + random.below(12)
  for (let id = 1; id <= exchanges;) {
    const last = Math.min(exchanges, id + (depth === 1 ? 0 : random.below(depth)))
    const heads = new Set<number>()
    for (let one = id; one <= last; one++) {
      const isHead = random.below(10) === 0
      if (isHead) heads.add(one)
      conversation.send('client', request(one, isHead, random))
    }
    if (random.below(4) === 0) conversation.acknowledge('server')
    for (let one = id; one <= last; one++) conversation.send('server', response(one, heads.has(one), random))
    if (random.below(4) === 0) conversation.acknowledge('client')
    id = last + 1
  }
  return conversation.close()
}

function request(id: number, isHead: boolean, random: Random): string {
  const body = isHead || random.below(4) > 0 ? '' : 'x'.repeat(1 + random.below(300))
  const framing = body === '' ? '' : `Content-Length: ${body.length}\r\n`
  return `${isHead ? 'HEAD' : body === '' ? 'DELETE' : 'POST'} /${id} HTTP/1.1\r\nHost: a\r\n${framing}\r\n${body}`
}

function response(id: number, isHead: boolean, random: Random): string {
  const body = 'y'.repeat(random.below(4) === 0 ? random.below(6000) : random.below(200))
  const start = `${random.below(20) === 0 ? 'HTTP/1.1 100 Continue\r\n\r\n' : ''}HTTP/1.1 200 OK\r\nX-Id: ${id}\r\n`
  if (isHead || random.below(3) > 0) return `${start}Content-Length: ${body.length}\r\n\r\n${isHead ? '' : body}`
  return `${start}Transfer-Encoding: chunked\r\n\r\n${body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`
}

/** Neighbours of opposite directions change places. */
const swap: Change = (conversation, random) => {
  const { segments } = conversation
  for (let place = 3; place + 1 < segments.length; place++) {
    if (segments[place]!.from !== segments[place + 1]!.from && random.below(4) === 0) conversation.swap(place, ++place)
  }
}

/** Some packets come up to 30 places late. */
const delay: Change = ({ segments }, random) => {
  const places = segments.map((segment, place) => ({ segment, place: place + (place > 2 && random.below(8) === 0 ? random.below(31) : 0) }))
  segments.splice(0, segments.length, ...places.sort((a, b) => a.place - b.place).map(({ segment }) => segment))
}

/** Some packets are missing, of the handshake as well. */
const lose: Change = ({ segments }, random) => {
  const oneIn = 2 + random.below(20)
  segments.splice(0, segments.length, ...segments.filter(() => random.below(oneIn) !== 0))
}

/** One or two packets are missing. */
const loseOne: Change = ({ segments }, random) => {
  for (let count = 1 + random.below(2); count > 0; count--) segments.splice(random.below(segments.length), 1)
}

/** The capture began later. */
const joinLate: Change = ({ segments }, random) => { segments.splice(0, 1 + random.below(segments.length - 1)) }

/** It began inside one of the first exchanges. */
const joinEarly: Change = ({ segments }, random) => { segments.splice(0, Math.min(segments.length - 1, 3 + random.below(6))) }

interface Judged { right: number; wrong: string[]; said: number }

function judge(seed: number, depth: number, changes: readonly Change[]): Judged {
  const random = new Random(seed)
  const conversations = Array.from({ length: CONVERSATIONS }, (_, index) => converse(random, depth, FIRST_PORT + index))
  const said = conversations.reduce((sum, { segments }) => sum + ids(segments.map(({ payload }) => payload)), 0)
  for (const conversation of conversations) for (const change of changes) change(conversation, random)
  const path = join(folder, 'capture.pcap')
  let time = 1_700_000_000_000
  writeFileSync(path, capture(conversations.flatMap((conversation) => conversation.frames().map((bytes) => {
    time++
    return { bytes, wire: bytes.length, seconds: Math.floor(time / 1000), nanoseconds: (time % 1000) * 1_000_000, linkType: 1 }
  }))))
  const { records, recordsOff, packetsOff, heldBytes } = replayer.run(path)
  assert.deepEqual([recordsOff, packetsOff, heldBytes], [0, 0, 0])
  const judged: Judged = { right: 0, wrong: [], said }
  for (const record of records) judgeOne(record, judged)
  return judged
}

function ids(payloads: readonly Uint8Array[]): number {
  return Buffer.concat(payloads).toString('latin1').split('X-Id: ').length - 1
}

function judgeOne(record: LogRecord, judged: Judged): void {
  const { path } = record.url ?? {}
  const id = record.http?.response?.header?.['x-id']?.[0]
  if (record.kind !== 'exchange' || path === undefined || id === undefined) return
  if (path === `/${id}`) judged.right++
  else judged.wrong.push(`port ${record.client?.port}: ${path} with ${id}`)
}

const CASES: readonly { name: string; depth: number; changes: readonly Change[]; recall: number }[] = [
  { name: 'as they were', depth: 1, changes: [], recall: 1 },
  { name: 'pipelined', depth: 4, changes: [], recall: 1 },
  { name: 'with neighbours of opposite directions swapped', depth: 1, changes: [swap], recall: 1 },
  { name: 'pipelined, with neighbours swapped', depth: 4, changes: [swap], recall: 0.99 },
  { name: 'with packets up to 30 places late', depth: 1, changes: [delay], recall: 0.4 },
  { name: 'pipelined, with packets late', depth: 4, changes: [delay], recall: 0.3 },
  { name: 'with packets lost', depth: 1, changes: [lose], recall: 0.2 },
  { name: 'with one or two packets lost', depth: 1, changes: [loseOne], recall: 0.6 },
  { name: 'pipelined, with packets lost', depth: 4, changes: [lose], recall: 0.05 },
  { name: 'pipelined, with one or two packets lost', depth: 4, changes: [loseOne], recall: 0.3 },
  { name: 'joined late', depth: 1, changes: [joinLate], recall: 0.3 },
  { name: 'joined late, with packets lost', depth: 1, changes: [joinEarly, lose], recall: 0.1 },
  { name: 'joined late, with one or two packets lost', depth: 1, changes: [joinEarly, loseOne], recall: 0.3 },
  { name: 'joined late, swapped', depth: 1, changes: [joinEarly, swap], recall: 0.3 },
  { name: 'joined inside a pipeline', depth: 4, changes: [joinEarly], recall: 0 },
  { name: 'joined inside a pipeline, with packets lost', depth: 4, changes: [joinEarly, lose], recall: 0 },
  { name: 'lost, late and swapped', depth: 1, changes: [lose, delay, swap], recall: 0.1 },
  { name: 'joined inside a pipeline, late and swapped', depth: 3, changes: [joinEarly, delay, swap], recall: 0 },
]

for (const { name, depth, changes, recall } of CASES) {
  test(`no pair of conversations ${name} is wrong`, (t) => {
    for (let seed = 1; seed <= Number(process.env['LINTEL_FUZZ_SEEDS'] ?? 2); seed++) {
      const { right, wrong, said } = judge(seed, depth, changes)
      t.diagnostic(`seed ${seed}: ${right} of ${said} paired`)
      assert.equal(wrong.length, 0, `seed ${seed}: ${wrong.length} wrong, ${wrong.slice(0, 5).join('; ')}`)
      assert.ok(right >= recall * said, `seed ${seed}: ${right} of ${said} paired`)
    }
  })
}
