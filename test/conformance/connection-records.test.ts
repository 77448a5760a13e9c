/** What a connection record counts, of captures made here: packets, bytes, resets and segments sent again, those behind its end too. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { TcpConversation } from '../../lib/pcap/builder.ts'
import { capture } from './testing/packet-list.ts'
import { Replayer } from './testing/replay.ts'

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
/** What no protocol claims: the connection is ignored from then on. */
const OTHER = '\x7f\x03 neither a request nor a hello'

const folder = mkdtempSync(join(tmpdir(), 'lintel-connections-'))
after(() => { rmSync(folder, { recursive: true, force: true }) })
const replayer = new Replayer({ kinds: ['connection'], fields: ['tcp.*'] })

interface Counted {
  readonly packets: number
  readonly bytes: number
  readonly resets: number
  readonly retransmissions: number
  readonly reason: string
  readonly duration: number
}

/** The one connection that the segments are, a millisecond apart. */
function counted(conversation: TcpConversation): Counted {
  const path = join(folder, 'capture.pcap')
  writeFileSync(path, capture(conversation.frames().map((bytes, index) => (
    { bytes, wire: bytes.length, seconds: 1_700_000_000, nanoseconds: index * 1_000_000, linkType: 1 }))))
  const { records, heldBytes, recordsOff, packetsOff } = replayer.run(path)
  assert.deepEqual([heldBytes, recordsOff, packetsOff], [0, 0, 0])
  const closed = records.filter(({ event }) => event.name !== 'open')
  assert.equal(closed.length, 1)
  const { connection, tcp, event, duration } = closed[0] as unknown as {
    readonly connection: Readonly<Record<'client' | 'server', { readonly bytes: number; readonly packets: number }>>
    readonly tcp: { readonly resets: number; readonly retransmissions: number }
    readonly event: { readonly name: string; readonly reason: string }
    readonly duration: number
  }
  const sum = (of: 'bytes' | 'packets'): number => connection.client[of] + connection.server[of]
  return { packets: sum('packets'), bytes: sum('bytes'), ...tcp, reason: `${event.name}: ${event.reason}`, duration }
}

const talk = (request = REQUEST, response = RESPONSE): TcpConversation => new TcpConversation().open().send('client', request).send('server', response)
const BYTES = REQUEST.length + RESPONSE.length

test('the acknowledgement of the last FIN is one of its packets', () => {
  const { packets, bytes, resets, retransmissions, duration } = counted(talk().close())
  assert.deepEqual({ packets, bytes, resets, retransmissions }, { packets: 8, bytes: BYTES, resets: 0, retransmissions: 0 })
  // It ended with the second FIN.
  assert.equal(duration, 0.006)
})

test('resets, and what is sent again, behind both FINs', () => {
  const conversation = talk().close()
  // The response, the second FIN, both once more.
  conversation.duplicate(4, conversation.segments.length).duplicate(6, conversation.segments.length).reset('client').reset('client')
  const { packets, bytes, resets, retransmissions, reason } = counted(conversation)
  assert.deepEqual({ packets, bytes, resets, retransmissions }, { packets: 12, bytes: BYTES + RESPONSE.length, resets: 2, retransmissions: 2 })
  assert.match(reason, /^close/)
})

test('what a server still sends after a reset is counted, and is nothing sent again', () => {
  const conversation = talk().reset('client').send('server', 'more').close()
  const { packets, bytes, resets, retransmissions, reason } = counted(conversation)
  assert.deepEqual({ packets, bytes, resets, retransmissions }, { packets: 10, bytes: BYTES + 4, resets: 1, retransmissions: 0 })
  assert.match(reason, /^reset/)
})

test('a connection that takes its place ends the wait', () => {
  const conversation = talk().close()
  const again = new TcpConversation({ clientSequence: 900_000, serverSequence: 700_000 }).open().send('client', REQUEST).send('server', RESPONSE).close()
  conversation.segments.push(...again.segments)
  const path = join(folder, 'capture.pcap')
  writeFileSync(path, capture(conversation.frames().map((bytes, index) => (
    { bytes, wire: bytes.length, seconds: 1_700_000_000, nanoseconds: index * 1_000_000, linkType: 1 }))))
  const { records, heldBytes } = replayer.run(path)
  assert.equal(heldBytes, 0)
  assert.deepEqual(records.map(({ event }) => event.name), ['open', 'close', 'open', 'close'])
})

for (const [name, request, response] of [['read', REQUEST, RESPONSE], ['ignored', OTHER, OTHER]] as const) {
  test(`segments and FINs sent again in a connection that is ${name}`, () => {
    const conversation = talk(request, response).acknowledge('client').send('client', request).send('server', response).acknowledge('client').close()
    // From the end on, so that the places before stay: the client's FIN, the second request, the first response.
    conversation.duplicate(9).duplicate(6).duplicate(4)
    const { bytes, retransmissions } = counted(conversation)
    assert.deepEqual([bytes, retransmissions], [2 * (request.length + response.length) + request.length + response.length, 3])
  })
}
