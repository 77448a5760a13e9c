/** WebSockets of third-party captures, held against every frame that Zeek reports of them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { WebSocketSide } from './testing/log-record.ts'
import { CORPORA, hasCorpora } from './testing/corpora.ts'
import { Replayer } from './testing/replay.ts'

const EVENTS = 'zeek-btest/expected/scripts.base.protocols.websocket.events/out'

interface Seen {
  close_code: number | undefined
  close_reason: string | undefined
  closed_by: 'client' | 'server' | undefined
  readonly client: WebSocketSide
  readonly server: WebSocketSide
}

type Counts = { -readonly [Key in keyof WebSocketSide]: WebSocketSide[Key] }

function none(): Counts {
  return { messages: 0, frames: 0, bytes: 0, pings: 0, pongs: 0 }
}

/** By capture file: what the frames that Zeek has printed add up to. Each file there holds one WebSocket. */
function zeekSaw(): Map<string, Seen> {
  const files = new Map<string, Seen>()
  let seen: Seen | undefined
  for (const line of readFileSync(`${CORPORA}/${EVENTS}`, 'latin1').split('\n')) {
    if (/^[\w-]+\.pcap$/.test(line)) {
      seen = { close_code: undefined, close_reason: undefined, closed_by: undefined, client: none(), server: none() }
      files.set(line, seen)
      continue
    }
    const [event, , isClient, ...rest] = line.split(', ')
    if (seen === undefined || isClient === undefined) continue
    const who = isClient === 'T' ? 'client' : 'server'
    if (event === 'websocket_frame') frame(seen[who], rest)
    if (event === 'websocket_message' && (rest[1] === 'text' || rest[1] === 'binary')) (seen[who] as Counts).messages++
    if (event === 'websocket_close' && seen.closed_by === undefined) {
      seen.closed_by = who
      seen.close_code = rest[1] === '0' ? undefined : Number(rest[1])
      seen.close_reason = rest[3] === '' ? undefined : rest[3]
    }
  }
  return files
}

/** fin, T, rsv, 0, opcode, binary, payload_len, 262 */
function frame(counts: Counts, rest: readonly string[]): void {
  const [opcode, length] = [rest[5], Number(rest[7])]
  if (opcode === 'ping') counts.pings++
  else if (opcode === 'pong') counts.pongs++
  else if (opcode !== 'close') {
    counts.frames++
    counts.bytes += length
  }
}

test('messages, frames, bytes, control frames and close of each WebSocket are those that Zeek saw', (context) => {
  if (!hasCorpora(context)) return
  const files = zeekSaw()
  assert.deepEqual([...files.keys()].sort(), ['broker-websocket.pcap', 'jupyter-websocket.pcap', 'message-too-big-status.pcap',
    'two-binary-fragments.pcap', 'wstunnel-http.pcap'])
  const replayer = new Replayer({ kinds: ['websocket'] })
  for (const [file, seen] of files) {
    const { records, recordsOff, heldBytes } = replayer.run(`${CORPORA}/zeek-btest/traces/websocket/${file}`)
    assert.deepEqual([recordsOff, heldBytes], [0, 0], file)
    assert.equal(records.length, 1, file)
    const { close_code, close_reason, closed_by, client, server } = records[0]!.websocket!
    assert.deepEqual({ close_code, close_reason, closed_by, client, server }, seen, file)
  }
})

test('the subprotocol is the one that Zeek saw, and there is one record for each of its WebSockets', (context) => {
  if (!hasCorpora(context)) return
  const replayer = new Replayer({ kinds: ['exchange', 'websocket'] })
  const logs = [
    ['websocket/jupyter-websocket.pcap', 'websocket.jupyter-websocket'], ['websocket/wstunnel-ssh.pcap', 'websocket.wstunnel-ssh'],
    ['websocket/wstunnel-https.pcap', 'websocket.wstunnel-https'], ['websocket/broker-websocket.pcap', 'websocket.broker-websocket'],
    ['http/websocket.pcap', 'http.101-switching-protocols'],
  ] as const
  for (const [file, log] of logs) {
    const expected = zeekLog(`${CORPORA}/zeek-btest/expected/scripts.base.protocols.${log}/websocket.log`)
    const { records } = replayer.run(`${CORPORA}/zeek-btest/traces/${file}`)
    const webSockets = records.filter(({ kind }) => kind === 'websocket')
    assert.deepEqual(webSockets.map(({ client, websocket }) => [client?.port, websocket?.subprotocol ?? '-']).sort(),
      expected.map((row) => [Number(row.get('id.orig_p')), row.get('subprotocol')]).sort(), file)
    for (const { network, http } of webSockets) {
      const opening = records.filter((record) => record.kind === 'exchange' && record.http?.response?.status_code === 101 &&
        record.network?.connection?.id === network?.connection?.id && record.http.request?.depth === http?.request?.depth)
      assert.equal(opening.length, 1, `${file}: the exchange that opened it is found by connection and depth`)
    }
  }
})

/** Rows of a Zeek log by its column names. */
function zeekLog(path: string): Map<string, string>[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  const names = lines.find((line) => /^(#fields\t)?ts\t/.test(line))!.replace('#fields\t', '').split('\t')
  return lines.filter((line) => line.startsWith('XXXX')).map((line) => {
    const values = line.split('\t')
    return new Map(names.map((name, index) => [name, values[index]!]))
  })
}
