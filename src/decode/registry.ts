import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { Protocol } from './decoder.ts'
import { Http1Protocol } from './http1/mod.ts'

/** Every protocol that Lintel reads, in the order in which they are asked: one line each. Those of the user's own come first. */
export function createProtocols(memory: ByteMemory, own: readonly Protocol[] = []): Protocol[] {
  return [
    ...own,
    new Http1Protocol(memory),
  ]
}
