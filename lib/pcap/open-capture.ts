import type { ByteInput } from './byte-input.ts'
import { readU32 } from './byte-order.ts'
import { COMPRESSION_MAGIC_BYTES, compressionOf, otherCompression } from './compression.ts'
import { openFile, type FileInput } from './file-input.ts'
import { InflateInput } from './inflate-input.ts'
import type { PacketReader } from './packet-reader.ts'
import { isPcapMagic, PCAP_HEADER_BYTES, PcapReader } from './pcap-reader.ts'
import { type HeaderBlocks, PCAPNG_MAGIC, PcapngReader, SECTION_BYTES_MIN, sectionProblem } from './pcapng-reader.ts'
import { PrefixedInput } from './prefixed-input.ts'
import { StreamWindow, WINDOW, type WindowRegion } from './stream-window.ts'

/** Of pcap and pcapng. */
const MAGIC_BYTES = 4
/** How long open waits for a pipe's first bytes: a capture tool writes its header when it starts. */
const FIRST_BYTES_MILLISECONDS = 10_000

/** An open capture file. */
export interface Capture {
  readonly reader: PacketReader
  readonly window: StreamWindow
  readonly name: string
  close(): void
}

/**
 * Opens a capture file (pcap or pcapng, plain, gzip or zstd), or standard input for `-`. The reader's packets
 * lie in `region`, at least WINDOW_BYTES_MIN of any byte array, until the next `next()`.
 *
 * @param headers of a pcapng file, see PcapngReader
 * @throws {Error} when the path cannot be opened or is no capture file
 */
export function openCapture(path: string, region: WindowRegion, headers?: HeaderBlocks): Capture {
  const input = openInput(openFile(path), region.bytes, region.offset)
  try {
    const window = new StreamWindow(input, region)
    const reader = openReader(window, path, headers)
    return { reader, window, name: input.name, close: () => input.close() }
  } catch (error) {
    input.close()
    throw error
  }
}

/** Looks at the first bytes, and puts an inflating thread in between when they say so. */
function openInput(file: FileInput, scratch: Uint8Array, at: number): ByteInput {
  let count = 0
  const deadline = performance.now() + FIRST_BYTES_MILLISECONDS
  while (count < COMPRESSION_MAGIC_BYTES) {
    const got = file.read(scratch, at + count, COMPRESSION_MAGIC_BYTES - count)
    if (got === 0) break
    if (got > 0) count += got
    else if (performance.now() > deadline) break
    else pause()
  }
  const prefix = scratch.slice(at, at + count)
  const compression = compressionOf(prefix)
  return compression === undefined ? new PrefixedInput(file, prefix) : new InflateInput(file, compression, prefix)
}

function openReader(window: StreamWindow, path: string, headers: HeaderBlocks | undefined): PacketReader {
  const start = ensureStart(window, MAGIC_BYTES)
  const { bytes } = window
  const magic = start ? readU32(bytes, window.at, true) : 0
  if (isPcapMagic(magic) || (start && isPcapMagic(readU32(bytes, window.at, false)))) {
    if (!ensureStart(window, PCAP_HEADER_BYTES)) throw cutHeader(window, path, 'pcap', PCAP_HEADER_BYTES)
    return new PcapReader(window)
  }
  if (magic === PCAPNG_MAGIC) {
    if (!ensureStart(window, SECTION_BYTES_MIN)) throw cutHeader(window, path, 'pcapng', SECTION_BYTES_MIN)
    const problem = sectionProblem(bytes, window.at)
    if (problem === undefined) return new PcapngReader(window, headers)
    const mend = 'write it anew with "editcap -F pcapng"'
    throw new Error(`Cannot read "${path}" at offset 0: a pcapng file, but ${problem}; ${mend}`)
  }
  throw new Error(`Cannot read "${path}" at offset 0: not a pcap or pcapng file; ${describeStart(window)}`)
}

function describeStart(window: StreamWindow): string {
  const damage = window.input.damage
  const mend = 'test it with "gzip -t" or "zstd -t"'
  if (damage !== undefined) return `its compression is broken (${damage}); ${mend}`
  window.ensure(8)
  const first = window.bytes.subarray(window.at, Math.min(window.end, window.at + 8))
  if (first.length === 0) return 'it is empty; capture again'
  const packed = otherCompression(first)
  if (packed !== undefined) return `it is packed by ${packed.name}; unpack it first with "${packed.tool}"`
  const hexadecimal = Buffer.from(first).toString('hex').replaceAll(/..(?=.)/g, '$& ')
  return `first bytes ${hexadecimal}; convert it with "editcap -F pcapng"`
}

function cutHeader(window: StreamWindow, path: string, format: string, needed: number): Error {
  const offset = window.position + (window.end - window.at)
  const wanted = `a ${format} header of ${needed} bytes`
  return new Error(`Cannot read "${path}" at offset ${offset}: it ends inside ${wanted}; capture again`)
}

function ensureStart(window: StreamWindow, count: number): boolean {
  const deadline = performance.now() + FIRST_BYTES_MILLISECONDS
  for (;;) {
    const state = window.ensure(count)
    if (state !== WINDOW.WAIT) return state === WINDOW.READY
    if (performance.now() > deadline) return false
    pause()
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
}
