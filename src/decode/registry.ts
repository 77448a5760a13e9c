import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { Protocol } from './decoder.ts'
import { Http1Protocol } from './http1/mod.ts'

/** Every protocol that Lintel reads, in the order in which they are asked: one line each. */
export function createProtocols(memory: ByteMemory): Protocol[] {
  return [
    new Http1Protocol(memory),
  ]
}
