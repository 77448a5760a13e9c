/**
 * The fingerprints of every ClientHello in the captures of JA4's makers and of nDPI, against what their own implementations say.
 * Where one says nothing of a connection that Lintel reads, there is nothing to compare.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCorpora } from './testing/corpora.ts'
import { flowKey, ja4Captures, ndpiCaptures } from './testing/ja4-expected.ts'
import type { LogRecord } from './testing/log-record.ts'
import { Replayer } from './testing/replay.ts'

/**
 * JA4.md ("ALPN Extension Value"): a first protocol of other bytes than letters and digits gives hexadecimal digits. The two
 * implementations give 9s; its maker says that the document is right (FoxIO-LLC/ja4 issue 178).
 */
const BY_THE_DOCUMENT: ReadonlyMap<string, string> = new Map([['t13d151699_8daaf6152771_e5627efa2ab1', 't13d1516bd_8daaf6152771_e5627efa2ab1']])

/** Flows of nDPI's captures that are not compared, by the start of their capture's name: why. */
const NOT_COMPARED: ReadonlyMap<string, string> = new Map([
  ['ftp-start-tls', 'STARTTLS is not read'],
  ['imap-starttls', 'STARTTLS is not read'],
  ['pop3_stls', 'STARTTLS is not read'],
  ['smtp-starttls', 'STARTTLS is not read'],
  ['rdp_over_tls', 'TLS begins behind a message of RDP'],
  ['heuristic_tcp_ack_payload', 'the first bytes of the stream are zeros that were never sent: padding taken for payload'],
  ['tls_cipher_lens', 'nDPI hashes an empty list where JA4.md asks for zeros'],
  ['tls_invalid_reads', 'the message is damaged: nDPI reads what there is of it'],
])

/** By flow, the fingerprints in the order of the handshakes. */
function ja4Of(records: readonly LogRecord[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { kind, client, server, tls } of records) {
    if (kind !== 'handshake' || client === undefined || server === undefined || tls?.client?.ja4 === undefined) continue
    const flow = flowKey(client.address, client.port, server.address, server.port)
    found.set(flow, [...(found.get(flow) ?? []), tls.client.ja4])
  }
  return found
}

test('JA4 of every connection in the corpus is what both other implementations say', (context) => {
  if (!hasCorpora(context)) return
  const replayer = new Replayer({ kinds: ['handshake'] })
  const faults: string[] = []
  const compared = new Map<string, number>()
  let own = 0
  for (const { path, witnesses } of ja4Captures()) {
    const found = ja4Of(replayer.run(path).records)
    own += [...found.values()].flat().length
    for (const [witness, expected] of witnesses) {
      for (const { flow, ja4 } of expected) {
        compared.set(witness, (compared.get(witness) ?? 0) + 1)
        if (found.get(flow)?.includes(BY_THE_DOCUMENT.get(ja4) ?? ja4) === true) continue
        faults.push(`${path.split('/').at(-1)} ${witness} ${flow}: ${ja4}, not ${String(found.get(flow))}`)
      }
    }
  }
  context.diagnostic(`${own} fingerprints; compared: ${[...compared].map(([witness, count]) => `${witness} ${count}`).join(', ')}`)
  assert.deepEqual(faults, [])
  assert.ok((compared.get('python') ?? 0) > 100 && (compared.get('rust') ?? 0) > 100)
})

/**
 * Without its letter for a server name and its two for ALPN: this version of nDPI writes d without a name, and takes other letters
 * of ALPN than JA4.md says.
 */
function agreed(ja4: string): string {
  return ja4.slice(0, 3) + ja4.slice(4, 8) + ja4.slice(10)
}

test('JA4 of nDPI\'s captures, TCP and QUIC, is what nDPI says', (context) => {
  if (!hasCorpora(context)) return
  const replayer = new Replayer({ kinds: ['handshake'] })
  const faults: string[] = []
  const left = new Map<string, number>()
  let compared = 0
  for (const { path, expected } of ndpiCaptures()) {
    const name = path.split('/').at(-1)!
    const reason = [...NOT_COMPARED].find(([start]) => name.startsWith(start))?.[1]
    if (reason !== undefined) {
      left.set(reason, (left.get(reason) ?? 0) + expected.length)
      continue
    }
    const found = ja4Of(replayer.run(path).records)
    for (const { flow, ja4 } of expected) {
      compared++
      // Where nDPI saw the server first, it names the flow the other way round.
      const own = found.get(flow) ?? found.get(flow.split(' > ').reverse().join(' > ')) ?? []
      if (!own.map(agreed).includes(agreed(ja4))) faults.push(`${name} ${flow}: ${ja4}, not ${String(own)}`)
    }
  }
  context.diagnostic(`${compared} compared; left out: ${[...left].map(([reason, count]) => `${count} (${reason})`).join(', ')}`)
  assert.deepEqual(faults, [])
  assert.ok(compared > 300)
})
