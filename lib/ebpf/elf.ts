/** What an ELF file is, as far as explaining why it cannot be opened needs it. */
export interface ElfSummary {
  readonly isElf: boolean
  /** 64-bit, little-endian, and made for BPF. */
  readonly isBpf: boolean
  readonly sections: readonly string[]
}

/** "\x7fELF" */
const MAGIC = [0x7f, 0x45, 0x4c, 0x46]
const EM_BPF = 247
const ELF_HEADER_BYTES = 64
const SECTION_HEADER_BYTES = 64

/** Reads the section names of a 64-bit little-endian ELF; never throws, whatever the bytes. */
export function summarizeElf(bytes: Uint8Array): ElfSummary {
  const isElf = MAGIC.every((byte, at) => bytes[at] === byte)
  if (!isElf || bytes.length < ELF_HEADER_BYTES || bytes[4] !== 2 || bytes[5] !== 1) {
    return { isElf, isBpf: false, sections: [] }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isBpf = view.getUint16(18, true) === EM_BPF
  const tableAt = Number(view.getBigUint64(40, true))
  const count = view.getUint16(60, true)
  const namesHeader = tableAt + view.getUint16(62, true) * SECTION_HEADER_BYTES
  const end = Math.max(tableAt + count * SECTION_HEADER_BYTES, namesHeader + SECTION_HEADER_BYTES)
  if (end > bytes.length) return { isElf, isBpf, sections: [] }
  const namesAt = Number(view.getBigUint64(namesHeader + 24, true))
  const sections: string[] = []
  for (let section = 0; section < count; section += 1) {
    const start = namesAt + view.getUint32(tableAt + section * SECTION_HEADER_BYTES, true)
    const end = bytes.indexOf(0, start)
    if (end >= start) sections.push(new TextDecoder().decode(bytes.subarray(start, end)))
  }
  return { isElf, isBpf, sections }
}
