/**
 * quic: the TLS handshake in QUIC's Initial packets (RFC 9000, RFC 9001, RFC 9369, drafts 22 to 34).
 *
 * In    datagrams that begin with an Initial packet, by flow.
 * Out   one handshake a flow (connection-facts.ts): version, names, JA4, suite.
 * Drops everything but Initial packets: the rest is encrypted with keys that nobody else has. What the server chose by ALPN and
 *       its certificate are in there.
 * Limits 65,536 bytes and 256 pieces of CRYPTO stream a direction, DECRYPTS_PER_SECOND_MAX packets opened a second.
 *
 * @module
 */
import type { DatagramHandler, StreamControl } from '../../connection/mod.ts'
import type { MessageSink } from '../message.ts'
import { DecryptBudget } from './decrypt-budget.ts'
import { QuicFlow } from './quic-flow.ts'

export { QUIC_ANOMALY } from './anomaly.ts'
export type { QuicAnomaly } from './anomaly.ts'
export { QuicFlow } from './quic-flow.ts'
export { DecryptBudget } from './decrypt-budget.ts'

const DECRYPTS_PER_SECOND_MAX = 4000

/** Makes the handlers of UDP flows: they share one budget. */
export function createDatagramReader(sink: MessageSink): (control: StreamControl) => DatagramHandler {
  const budget = new DecryptBudget(DECRYPTS_PER_SECOND_MAX)
  return (control) => new QuicFlow(control, sink, budget)
}
