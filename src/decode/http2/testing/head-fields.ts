import type { ByteMemory } from '../../../../lib/bytes/mod.ts'
import * as L from '../../../../wasm/layout.ts'
import { headText } from '../../testing/head-text.ts'

const SCHEMES = ['', 'http', 'https'] as const

/** The fields of a head block of HTTP/2 as text: pseudo-headers first, in the order of their bits, then the others. */
export function headFields(memory: ByteMemory, block: number): [string, string][] {
  const { method, target, status, fields } = headText(memory, block)
  const pseudo = memory.u8[block + L.HEAD_PSEUDO]!
  const raw = block + L.HEAD_SPANS + memory.u32[(block + L.HEAD_COUNT) >>> 2]! * L.SPAN_BYTES
  const authority = (block + L.HEAD_AUTHORITY) >>> 2
  const all: [number, string, string][] = [
    [L.PSEUDO_METHOD, ':method', method],
    [L.PSEUDO_PATH, ':path', target],
    [L.PSEUDO_STATUS, ':status', String(status)],
    [L.PSEUDO_AUTHORITY, ':authority', memory.latin1(raw + memory.u32[authority]!, memory.u32[authority + 1]!)],
    [L.PSEUDO_SCHEME, ':scheme', SCHEMES[memory.u8[block + L.HEAD_SCHEME]!] ?? 'other'],
  ]
  return [
    ...all.filter(([bit]) => (pseudo & bit) !== 0).map(([, name, value]): [string, string] => [name, value]),
    ...fields.map(([name, value]): [string, string] => [name, value]),
  ]
}
