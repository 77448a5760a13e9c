import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  PROBE_END, PROBE_FREE, PROBE_GO_END, PROBE_GO_HANDSHAKE, PROBE_GO_READ, PROBE_HANDSHAKE, PROBE_NEW, PROBE_READ, PROBE_WRITE,
} from '../events.gen.ts'
import { inAttachOrder } from './tls-probes.ts'
import type { TlsProbe } from './tls-binary.ts'

function orderOf(probes: readonly (readonly [TlsProbe['place'], number])[]): string[] {
  return inAttachOrder(probes.map(([place, cookie], offset) => ({ place, cookie, offset })))
    .flatMap(({ place, places }) => places.map(({ cookie }) => `${place} ${cookie}`))
}

test('ends are attached before what they end, what tells the start of a session after all else', () => {
  assert.deepEqual(orderOf([
    ['return', PROBE_NEW], ['entry', PROBE_HANDSHAKE], ['return', PROBE_END], ['entry', PROBE_READ], ['return', PROBE_END],
    ['entry', PROBE_WRITE], ['entry', PROBE_FREE],
  ]), [
    `return ${PROBE_END}`, `return ${PROBE_END}`, `entry ${PROBE_READ}`, `entry ${PROBE_WRITE}`, `entry ${PROBE_FREE}`,
    `entry ${PROBE_HANDSHAKE}`, `return ${PROBE_NEW}`,
  ])
  assert.deepEqual(orderOf([['go', PROBE_GO_HANDSHAKE], ['go', PROBE_GO_END], ['go', PROBE_GO_READ], ['go', PROBE_GO_END]]),
    [`go ${PROBE_GO_END}`, `go ${PROBE_GO_END}`, `go ${PROBE_GO_READ}`, `go ${PROBE_GO_HANDSHAKE}`])
})
