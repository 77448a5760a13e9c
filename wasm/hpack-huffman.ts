/**
 * The Huffman code of HPACK (RFC 7541 5.2, appendix B). The code is canonical, so its lengths alone tell it: the tables are made
 * from them when the module starts. One look-up of 12 bits gives up to two characters.
 *
 * Reads up to 7 bytes beyond the input: those must lie inside the memory.
 */
import { reserve } from './allocator'

const LOOKUP_BITS: u32 = 12
const LENGTH_MAX: u32 = 30
const EOS: u32 = 256

/** Bits of each symbol's code; the 257th is EOS. */
const lengths: usize = memory.data<u8>([
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
])

// By the next 12 bits: u8 first character, u8 second one, u8 bits of both, u8 bits of the first; 0 bits = a longer code.
const lookup = reserve((1 << LOOKUP_BITS) * 4)
// By length: u32 first code, u32 how many, u32 place of its symbols.
const byLength = reserve((LENGTH_MAX + 1) * 12)
const symbols = reserve(257 * 2)

function placeSymbols(): void {
  let code: u32 = 0
  let place: u32 = 0
  for (let length: u32 = 1; length <= LENGTH_MAX; length++) {
    code <<= 1
    const row = byLength + length * 12
    store<u32>(row, code)
    store<u32>(row, place, 8)
    for (let symbol: u32 = 0; symbol <= EOS; symbol++) {
      if (<u32>load<u8>(lengths + symbol) != length) continue
      store<u16>(symbols + place * 2, symbol as u16)
      place++
      code++
    }
    store<u32>(row, place - load<u32>(row, 8), 4)
  }
}

/** Symbol of the code at the top of `bits`, of at most `most` bits; its length in the high half. 0 = none. */
function symbolAt(bits: u64, from: u32, most: u32): u32 {
  for (let length = from; length <= most; length++) {
    const row = byLength + length * 12
    const offset = <u32>(bits >> (64 - <u64>length)) - load<u32>(row)
    if (offset < load<u32>(row, 4)) return <u32>load<u16>(symbols + (load<u32>(row, 8) + offset) * 2) | (length << 16)
  }
  return 0
}

function fillLookup(): void {
  for (let index: u32 = 0; index < 1 << LOOKUP_BITS; index++) {
    const bits = <u64>index << (64 - LOOKUP_BITS)
    const first = symbolAt(bits, 1, LOOKUP_BITS)
    const length = first >> 16
    if (length == 0) continue
    const second = symbolAt(bits << length, 1, LOOKUP_BITS - length)
    const entry = lookup + index * 4
    store<u8>(entry, first as u8)
    store<u8>(entry, second as u8, 1)
    store<u8>(entry, (length + (second >> 16)) as u8, 2)
    store<u8>(entry, length as u8, 3)
  }
}

placeSymbols()
fillLookup()

/**
 * Decodes `length` bytes at `from` to `out`, which has room for twice as many and 8 more. Result: bytes written, -1 = not
 * valid: a code that is none, EOS, or padding that is not a start of EOS of less than 8 bits.
 */
export function decodeHuffman(from: usize, length: u32, out: usize): i32 {
  const end = from + length
  let to = out
  let bits: u64 = 0 // the next ones at the top
  let have: u64 = 0
  while (true) {
    if (have < 32) {
      if (end - from >= 8) {
        bits |= bswap<u64>(load<u64>(from)) >> have
        const taken = (63 - have) >> 3
        from += <usize>taken
        have += taken << 3
      } else {
        while (have <= 56 && from < end) {
          bits |= <u64>load<u8>(from++) << (56 - have)
          have += 8
        }
      }
    }
    const entry = load<u32>(lookup + <usize>(bits >> (64 - LOOKUP_BITS)) * 4)
    const both = <u64>((entry >> 16) & 255)
    const first = <u64>(entry >> 24)
    if (first != 0 && both <= have) {
      store<u16>(to, entry as u16)
      to += both != first ? 2 : 1
      bits <<= both
      have -= both
      continue
    }
    if (first != 0 && first <= have) {
      store<u8>(to++, entry as u8)
      bits <<= first
      have -= first
      continue
    }
    if (have < 8) break
    const symbol = first == 0 ? symbolAt(bits, LOOKUP_BITS + 1, LENGTH_MAX) : 0
    const used = <u64>(symbol >> 16)
    if (used == 0 || used > have || (symbol & 0xffff) == EOS) return -1
    store<u8>(to++, symbol as u8)
    bits <<= used
    have -= used
  }
  // RFC 7541 5.2: the rest is the beginning of EOS, all ones.
  if (have > 0 && bits >> (64 - have) != (<u64>1 << have) - 1) return -1
  return <i32>(to - out)
}
