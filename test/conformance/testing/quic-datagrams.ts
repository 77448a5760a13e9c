import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { FileSource, FRAME_BYTES, PACKET_EVENT, PROTOCOL_BIT, RECORD_BYTES_MAX } from '../../../src/capture/mod.ts'

/** The datagrams of a capture that begin with a QUIC Initial packet, in order. */
export function initialDatagrams(path: string): Buffer[] {
  const memory = new ByteMemory()
  const source = new FileSource(memory, path, { protocols: PROTOCOL_BIT.QUIC })
  const batch = memory.reserve(4 * RECORD_BYTES_MAX)
  const datagrams: Buffer[] = []
  for (;;) {
    const length = source.fill(batch, 4 * RECORD_BYTES_MAX)
    for (let at = batch; at < batch + length;) {
      const bytes = memory.u32[at >>> 2]!
      const event = at + FRAME_BYTES
      const data = event + PACKET_EVENT.bytes
      datagrams.push(Buffer.from(memory.u8.slice(data, data + memory.u32[(event + PACKET_EVENT.captured_length) >>> 2]!)))
      at += (FRAME_BYTES + bytes + 7) & ~7
    }
    if (length === 0 && source.ended) break
  }
  source.close()
  return datagrams
}
