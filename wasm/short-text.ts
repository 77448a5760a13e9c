/** Words of up to 8 ASCII characters as one number, first character in the lowest byte: written with one store. */

/** Meant for module constants. */
export function pack(text: string): u64 {
  let packed: u64 = 0
  for (let index = min(text.length, 8) - 1; index >= 0; index--) packed = (packed << 8) | <u64>text.charCodeAt(index)
  return packed
}

/** Packs the words of a list with single spaces between, one u64 each, into `table`, which it returns. */
export function packWords(list: string, table: usize): usize {
  let word = table
  let shift: u64 = 0
  store<u64>(word, 0)
  for (let index = 0; index < list.length; index++) {
    const code = <u64>list.charCodeAt(index)
    if (code == 0x20) {
      word += 8
      shift = 0
      store<u64>(word, 0)
      continue
    }
    store<u64>(word, load<u64>(word) | (code << shift))
    shift += 8
  }
  return table
}

// @ts-ignore: decorator
@inline
export function packedLength(packed: u64): u32 {
  return <u32>(8 - (clz(packed) >> 3))
}

/** Writes ASCII `text` at `out` and returns its length. */
export function writeAscii(text: string, out: usize): u32 {
  for (let index = 0; index < text.length; index++) store<u8>(out + index, <u8>text.charCodeAt(index))
  return text.length
}
