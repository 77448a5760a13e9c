/**
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104) over bytes in shared memory. Only the two chaining values that a
 * key leads to are kept, never the key: with them HMAC can be computed, but the key is nowhere in the memory.
 */
const ROUND: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
])
const START: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
])
const BLOCK: u32 = 64
const SCHEDULE: usize = memory.data(64 * 4)
const PAD: usize = memory.data(128)
const STATE: usize = memory.data(32)
const INNER: usize = memory.data(32) // chaining value after key XOR ipad
const OUTER: usize = memory.data(32) // chaining value after key XOR opad

// @ts-ignore: decorator
@inline
function compress(state: usize, block: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(SCHEDULE + i, bswap(load<u32>(block + i)))
  for (let i: usize = 64; i < 256; i += 4) {
    const w15 = load<u32>(SCHEDULE + i - 60)
    const w2 = load<u32>(SCHEDULE + i - 8)
    const s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >> 3)
    const s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >> 10)
    store<u32>(SCHEDULE + i, load<u32>(SCHEDULE + i - 64) + s0 + load<u32>(SCHEDULE + i - 28) + s1)
  }
  let a = load<u32>(state)
  let b = load<u32>(state, 4)
  let c = load<u32>(state, 8)
  let d = load<u32>(state, 12)
  let e = load<u32>(state, 16)
  let f = load<u32>(state, 20)
  let g = load<u32>(state, 24)
  let h = load<u32>(state, 28)
  for (let i: usize = 0; i < 256; i += 4) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + load<u32>(ROUND + i) + load<u32>(SCHEDULE + i)
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c))
    h = g
    g = f
    f = e
    e = d + t1
    d = c
    c = b
    b = a
    a = t1 + t2
  }
  store<u32>(state, load<u32>(state) + a)
  store<u32>(state, load<u32>(state, 4) + b, 4)
  store<u32>(state, load<u32>(state, 8) + c, 8)
  store<u32>(state, load<u32>(state, 12) + d, 12)
  store<u32>(state, load<u32>(state, 16) + e, 16)
  store<u32>(state, load<u32>(state, 20) + f, 20)
  store<u32>(state, load<u32>(state, 24) + g, 24)
  store<u32>(state, load<u32>(state, 28) + h, 28)
}

function compressBlock(state: usize, block: usize): void {
  compress(state, block)
}

/**
 * Ends a hash whose first `before` bytes (a multiple of 64) are already in `state`; the digest goes to `out`.
 */
function finish(state: usize, before: u32, data: usize, length: u32, out: usize): void {
  let rest = length
  let at = data
  while (rest >= BLOCK) {
    compressBlock(state, at)
    at += BLOCK
    rest -= BLOCK
  }
  const padded: usize = rest < 56 ? 64 : 128
  memory.fill(PAD, 0, 128)
  memory.copy(PAD, at, rest)
  store<u8>(PAD + rest, 0x80)
  store<u64>(PAD + padded - 8, bswap((<u64>before + <u64>length) << 3))
  compressBlock(state, PAD)
  if (padded == 128) compressBlock(state, PAD + 64)
  for (let i: usize = 0; i < 32; i += 4) store<u32>(out + i, bswap(load<u32>(state + i)))
}

/** SHA-256 of `length` bytes at `data`: 32 bytes to `out`. */
export function sha256(data: usize, length: u32, out: usize): void {
  memory.copy(STATE, START, 32)
  finish(STATE, 0, data, length, out)
}

/** Takes a key of `length` bytes for `hmac`. The caller wipes its copy. */
export function setHmacKey(key: usize, length: u32): void {
  const block: usize = PAD + 64
  const folded: usize = memory.data(64)
  memory.fill(folded, 0, 64)
  if (length > BLOCK) sha256(key, length, folded)
  else memory.copy(folded, key, length)
  for (let i: usize = 0; i < 64; i++) store<u8>(block + i, load<u8>(folded + i) ^ 0x36)
  memory.copy(INNER, START, 32)
  compressBlock(INNER, block)
  for (let i: usize = 0; i < 64; i++) store<u8>(block + i, load<u8>(folded + i) ^ 0x5c)
  memory.copy(OUTER, START, 32)
  compressBlock(OUTER, block)
  memory.fill(folded, 0, 64)
  memory.fill(PAD, 0, 128)
  memory.fill(SCHEDULE, 0, 256)
}

/** HMAC-SHA-256 with the key of `setHmacKey`: 32 bytes to `out`. */
export function hmacSha256(data: usize, length: u32, out: usize): void {
  memory.copy(STATE, INNER, 32)
  finish(STATE, 64, data, length, out)
  memory.copy(STATE, OUTER, 32)
  finish(STATE, 64, out, 32, out)
}
