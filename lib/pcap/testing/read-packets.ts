import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openCapture, READ } from '../mod.ts'

export interface ReadPacket {
  readonly data: Buffer
  readonly wire: number
  readonly seconds: number
  readonly nanoseconds: number
  readonly linkType: number
  readonly interfaceIndex: number
  readonly interfaceName: string | undefined
  readonly direction: number
}

export interface ReadFile {
  readonly format: string
  readonly packets: ReadPacket[]
  /** Count by name. */
  readonly warnings: Record<string, number>
}

/** Reads a capture file to its end, through a window at an odd place of a larger array. */
export function readPath(path: string, windowBytes = 300 * 1024): ReadFile {
  const bytes = new Uint8Array(windowBytes + 7)
  const capture = openCapture(path, { bytes, offset: 3, length: windowBytes })
  const { reader } = capture
  const packets: ReadPacket[] = []
  while (reader.next() === READ.PACKET) {
    const { at, captured, blockAt: _at, blockBytes: _bytes, ...rest } = reader.cursor
    const data = Buffer.from(bytes.slice(at, at + captured))
    packets.push({ ...rest, data, interfaceName: reader.interfaceName(rest.interfaceIndex) })
  }
  capture.close()
  const warnings = Object.fromEntries([...reader.warnings.entries()].map(([name, entry]) => [name, entry.count]))
  return { format: reader.format, packets, warnings }
}

/** The same for bytes, which pass through a file since that is what can be opened. */
export function readBytes(bytes: Uint8Array, windowBytes?: number): ReadFile {
  return withFile(bytes, path => readPath(path, windowBytes))
}

/** Gives `use` a file of these (made-up) bytes, for as long as it runs. */
export function withFile<Result>(bytes: Uint8Array, use: (path: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-pcap-'))
  try {
    const path = join(folder, 'capture')
    writeFileSync(path, bytes)
    return use(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
