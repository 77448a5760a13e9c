/**
 * How long x86-64 instructions are: enough to walk a function that a compiler made, nothing more.
 *
 * Intel SDM volume 2, chapter 2 (formats) and appendix A (opcode maps).
 */

/** What follows an opcode, as bits. */
const MODRM = 1
const IMMEDIATE_8 = 2
const IMMEDIATE_16 = 4
/** 4 bytes; 2 with an operand-size prefix. */
const IMMEDIATE_Z = 8
const IMMEDIATE_32 = 16
/** 8 bytes with REX.W, else as IMMEDIATE_Z. */
const IMMEDIATE_V = 32
/** An address of 8 bytes. */
const OFFSET_64 = 64
const INVALID = 128

const RANGES_1: readonly (readonly [first: number, last: number, what: number])[] = [
  [0x50, 0x5f, 0], [0x60, 0x62, INVALID], [0x63, 0x63, MODRM], [0x68, 0x68, IMMEDIATE_Z], [0x69, 0x69, MODRM | IMMEDIATE_Z],
  [0x6a, 0x6a, IMMEDIATE_8], [0x6b, 0x6b, MODRM | IMMEDIATE_8], [0x6c, 0x6f, 0], [0x70, 0x7f, IMMEDIATE_8],
  [0x80, 0x80, MODRM | IMMEDIATE_8], [0x81, 0x81, MODRM | IMMEDIATE_Z], [0x82, 0x82, INVALID], [0x83, 0x83, MODRM | IMMEDIATE_8],
  [0x84, 0x8f, MODRM], [0x90, 0x99, 0], [0x9a, 0x9a, INVALID], [0x9b, 0x9f, 0], [0xa0, 0xa3, OFFSET_64], [0xa4, 0xa7, 0],
  [0xa8, 0xa8, IMMEDIATE_8], [0xa9, 0xa9, IMMEDIATE_Z], [0xaa, 0xaf, 0], [0xb0, 0xb7, IMMEDIATE_8], [0xb8, 0xbf, IMMEDIATE_V],
  [0xc0, 0xc1, MODRM | IMMEDIATE_8], [0xc2, 0xc2, IMMEDIATE_16], [0xc3, 0xc3, 0], [0xc6, 0xc6, MODRM | IMMEDIATE_8],
  [0xc7, 0xc7, MODRM | IMMEDIATE_Z], [0xc8, 0xc8, IMMEDIATE_16 | IMMEDIATE_8], [0xc9, 0xc9, 0], [0xca, 0xca, IMMEDIATE_16],
  [0xcb, 0xcc, 0], [0xcd, 0xcd, IMMEDIATE_8], [0xce, 0xce, INVALID], [0xcf, 0xcf, 0], [0xd0, 0xd3, MODRM], [0xd4, 0xd6, INVALID],
  [0xd7, 0xd7, 0], [0xd8, 0xdf, MODRM], [0xe0, 0xe7, IMMEDIATE_8], [0xe8, 0xe9, IMMEDIATE_32], [0xea, 0xea, INVALID],
  [0xeb, 0xeb, IMMEDIATE_8], [0xec, 0xef, 0], [0xf1, 0xf1, 0], [0xf4, 0xf5, 0], [0xf6, 0xf7, MODRM], [0xf8, 0xfd, 0],
  [0xfe, 0xff, MODRM],
]
const RANGES_0F: typeof RANGES_1 = [
  [0x00, 0xff, MODRM], [0x04, 0x04, INVALID], [0x05, 0x09, 0], [0x0a, 0x0a, INVALID], [0x0b, 0x0b, 0], [0x0c, 0x0c, INVALID],
  [0x0e, 0x0e, 0], [0x24, 0x27, INVALID], [0x30, 0x37, 0], [0x70, 0x73, MODRM | IMMEDIATE_8], [0x77, 0x77, 0],
  [0x80, 0x8f, IMMEDIATE_32], [0xa0, 0xa2, 0], [0xa4, 0xa4, MODRM | IMMEDIATE_8], [0xa8, 0xaa, 0], [0xac, 0xac, MODRM | IMMEDIATE_8],
  [0xba, 0xba, MODRM | IMMEDIATE_8], [0xc2, 0xc2, MODRM | IMMEDIATE_8], [0xc4, 0xc6, MODRM | IMMEDIATE_8], [0xc8, 0xcf, 0],
]
const MAP_1 = tableOf(RANGES_1)
const MAP_0F = tableOf(RANGES_0F)
const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3])
const OPERAND_SIZE = 0x66
const INSTRUCTION_BYTES_MAX = 15

/** Bytes of the instruction at `at`; 0 = there is none that is known, or it is cut. */
export function x64Length(code: Uint8Array, at: number): number {
  let next = at
  let isShort = false
  while (PREFIXES.has(code[next]!)) if (code[next++] === OPERAND_SIZE) isShort = true
  const rex = (code[next]! & 0xf0) === 0x40 ? code[next++]! : 0
  const isWide = (rex & 8) !== 0
  const opcode = code[next++]
  if (opcode === undefined) return 0
  let what: number
  if (opcode === 0x0f) {
    const second = code[next++]!
    what = second === 0x38 ? MODRM : second === 0x3a ? MODRM | IMMEDIATE_8 : MAP_0F[second]!
    if (second === 0x38 || second === 0x3a) next++
  } else if (opcode === 0xc5 || opcode === 0xc4 || opcode === 0x62) {
    const map = opcode === 0xc5 ? 1 : code[next]! & (opcode === 0xc4 ? 31 : 7)
    next += opcode === 0xc5 ? 1 : opcode === 0xc4 ? 2 : 3
    what = map === 1 ? MAP_0F[code[next]!]! : map === 2 ? MODRM : map === 3 ? MODRM | IMMEDIATE_8 : INVALID
    next++
  } else {
    what = MAP_1[opcode]!
    // TEST has an immediate, the others of its group have not.
    if ((opcode === 0xf6 || opcode === 0xf7) && (code[next]! & 0x30) === 0) what |= opcode === 0xf6 ? IMMEDIATE_8 : IMMEDIATE_Z
  }
  if ((what & INVALID) !== 0) return 0
  if ((what & MODRM) !== 0) next += modrmBytes(code, next)
  if ((what & IMMEDIATE_8) !== 0) next += 1
  if ((what & IMMEDIATE_16) !== 0) next += 2
  if ((what & IMMEDIATE_32) !== 0) next += 4
  if ((what & OFFSET_64) !== 0) next += 8
  if ((what & IMMEDIATE_V) !== 0) next += isWide ? 8 : isShort ? 2 : 4
  if ((what & IMMEDIATE_Z) !== 0) next += isShort && !isWide ? 2 : 4
  return next > code.length || next - at > INSTRUCTION_BYTES_MAX ? 0 : next - at
}

/** Places of the return instructions of a function; undefined when it cannot be taken apart to its end. */
export function x64Returns(code: Uint8Array): number[] | undefined {
  const found: number[] = []
  for (let at = 0; at < code.length;) {
    const length = x64Length(code, at)
    if (length === 0) return undefined
    if (code[at] === 0xc3 || code[at] === 0xc2) found.push(at)
    at += length
  }
  return found
}

/** Bytes of ModRM, SIB and displacement. */
function modrmBytes(code: Uint8Array, at: number): number {
  const modrm = code[at]!
  const mode = modrm >> 6
  const register = modrm & 7
  if (mode === 3) return 1
  const hasSib = register === 4
  const base = hasSib ? code[at + 1]! & 7 : register
  const displacement = mode === 1 ? 1 : mode === 2 || base === 5 ? 4 : 0
  return 1 + (hasSib ? 1 : 0) + displacement
}

function tableOf(ranges: typeof RANGES_1): Uint8Array {
  const table = new Uint8Array(256)
  // The eight arithmetic operations share one pattern.
  for (let opcode = 0; opcode < 0x40; opcode++) {
    const form = opcode & 7
    table[opcode] = form < 4 ? MODRM : form === 4 ? IMMEDIATE_8 : form === 5 ? IMMEDIATE_Z : INVALID
  }
  for (const [first, last, what] of ranges) table.fill(what, first, last + 1)
  return table
}
