/** Decimal text of numbers. Every function returns the address behind what it wrote. */
const PAIRS: usize = pairTable()

function pairTable(): usize {
  const table = memory.data(200)
  for (let index: u32 = 0; index < 100; index++) {
    store<u8>(table + index * 2, <u8>(0x30 + index / 10))
    store<u8>(table + index * 2 + 1, <u8>(0x30 + index % 10))
  }
  return table
}

// @ts-ignore: decorator
@inline
export function writePair(value: u32, out: usize): void {
  store<u16>(out, load<u16>(PAIRS + (value << 1)))
}

// @ts-ignore: decorator
@inline
function digitsOf(value: u32): u32 {
  if (value < 10000) return value < 100 ? (value < 10 ? 1 : 2) : (value < 1000 ? 3 : 4)
  if (value < 100000000) return value < 1000000 ? (value < 100000 ? 5 : 6) : (value < 10000000 ? 7 : 8)
  return value < 1000000000 ? 9 : 10
}

/** A number below 10,000: most are. May touch a byte more. */
// @ts-ignore: decorator
@inline
function writeShort(value: u32, out: usize): usize {
  const high = value / 100
  const low = value - high * 100
  if (high == 0) {
    const pair = <u32>load<u16>(PAIRS + (low << 1))
    const isOne: u32 = low < 10 ? 1 : 0
    store<u16>(out, pair >> (isOne << 3))
    return out + 2 - isOne
  }
  const isOne: u32 = high < 10 ? 1 : 0
  store<u16>(out, <u32>load<u16>(PAIRS + (high << 1)) >> (isOne << 3))
  store<u16>(out + 2 - isOne, load<u16>(PAIRS + (low << 1)))
  return out + 4 - isOne
}

// @ts-ignore: decorator
@inline
function writeFour(value: u32, out: usize): usize {
  const high = value / 100
  writePair(high, out)
  writePair(value - high * 100, out + 2)
  return out + 4
}

export function writeU32(number: u32, out: usize): usize {
  if (number < 10000) return writeShort(number, out)
  if (number < 100000000) {
    const high = number / 10000
    return writeFour(number - high * 10000, writeShort(high, out))
  }
  let value = number
  const end = out + digitsOf(value)
  let at = end
  while (value >= 100) {
    at -= 2
    const rest = value / 100
    writePair(value - rest * 100, at)
    value = rest
  }
  if (value >= 10) writePair(value, at - 2)
  else store<u8>(at - 1, <u8>(0x30 + value))
  return end
}

/** Nine digits, zeros in front. */
export function writeNine(value: u32, out: usize): void {
  const high = value / 10000
  const low = value - high * 10000
  store<u8>(out, <u8>(0x30 + high / 10000))
  const middle = high % 10000
  writePair(middle / 100, out + 1)
  writePair(middle % 100, out + 3)
  writePair(low / 100, out + 5)
  writePair(low % 100, out + 7)
}

/** At most 20 digits. */
export function writeU64(value: u64, out: usize): usize {
  if (value <= 0xffffffff) return writeU32(<u32>value, out)
  const high = value / 1000000000
  const end = high <= 0xffffffff ? writeU32(<u32>high, out) : writeU64(high, out)
  writeNine(<u32>(value - high * 1000000000), end)
  return end + 9
}

/** At most 20 bytes. */
export function writeI64(value: i64, out: usize): usize {
  if (value >= 0) return writeU64(<u64>value, out)
  store<u8>(out, 0x2d)
  return writeU64(<u64>(0 - value), out + 1)
}

/** Nanoseconds as decimal seconds: at most 9 digits behind the point, no trailing zeros, no exponent. At most 22 bytes. */
export function writeSeconds(nanoseconds: i64, out: usize): usize {
  let at = out
  let magnitude = <u64>nanoseconds
  if (nanoseconds < 0) {
    store<u8>(at++, 0x2d)
    magnitude = 0 - magnitude
  }
  const whole = magnitude / 1000000000
  const fraction = <u32>(magnitude - whole * 1000000000)
  at = writeU64(whole, at)
  if (fraction == 0) return at
  store<u8>(at, 0x2e)
  writeNine(fraction, at + 1)
  // Not all nine digits are 0: where the last eight are, the first is not.
  return at + 10 - <usize>(clz(load<u64>(at + 2) ^ 0x3030303030303030) >> 3)
}
