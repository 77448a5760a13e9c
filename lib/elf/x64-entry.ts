/**
 * Where a function of x86-64 is best probed.
 *
 * A breakpoint replaces one instruction, which the kernel then runs in its stead: emulated, when it is a push of a register,
 * a jump, a call or a NOP (arch/x86/kernel/uprobes.c: push_setup_xol_ops, since 4.18, and branch_setup_xol_ops); any other in
 * a copy elsewhere, by single step. That step is a second exception, and one that a hypervisor keeps for itself (KVM takes
 * every #DB): some ten microseconds on a virtual machine, where the breakpoint alone takes less than one.
 */
import { x64Length } from './x64-length.ts'

/** Bytes of a function's beginning that are looked at. */
export const X64_ENTRY_BYTES = 48
const ENDBR64 = [0xf3, 0x0f, 0x1e, 0xfa]
/** How Go begins a function: CMPQ SP, 16(R14), or LEAQ -n(SP), R12; CMPQ R12, 16(R14); then a jump to where the stack grows. */
const GO_BEGINS = [
  [0x49, 0x3b, 0x66, 0x10], [0x4c, 0x8d, 0x64, 0x24], [0x4c, 0x8d, 0xa4, 0x24], [0x4d, 0x3b, 0x66, 0x10],
]
const CALL = 0xe8
const JUMP = 0xe9
const RELATIVE_BYTES = 5

/**
 * The first place of a function that the kernel emulates, if all before it leaves the stack pointer and the arguments' registers
 * alone: to a probe there, also one of the return, it is as the entry.
 *
 * @param code the function's first bytes, X64_ENTRY_BYTES or fewer
 * @returns bytes from its beginning; undefined = there is none, probe the beginning
 */
export function x64EntryPlace(code: Uint8Array): number | undefined {
  for (let at = 0; at < code.length;) {
    if (isEmulated(code, at)) return at
    const length = idleBytes(code, at)
    if (length === 0) return undefined
    at += length
  }
  return undefined
}

/**
 * The same for a function of Go. Behind its look at the stack, where it can be: when the stack has to grow the function begins
 * again, and a probe before that jump would see one call twice.
 *
 * @returns bytes from its beginning; 0 = probe the beginning
 */
export function x64GoEntryPlace(code: Uint8Array): number {
  let at = 0
  for (let length = 0; GO_BEGINS.some((bytes) => startsWith(code, at, bytes)); at += length) {
    length = x64Length(code, at)
    if (length === 0) return 0
  }
  if (at === 0 || !isJumpIf(code, at)) return 0
  const next = at + x64Length(code, at)
  return isPush(code, next) ? next : at
}

/** Addresses that a function calls or jumps to directly; empty when it cannot be taken apart to its end. */
export function x64Targets(code: Uint8Array, address: number): Set<number> {
  const found = new Set<number>()
  for (let at = 0; at < code.length;) {
    const length = x64Length(code, at)
    if (length === 0) return new Set()
    if (length === RELATIVE_BYTES && (code[at] === CALL || code[at] === JUMP)) found.add(targetOf(code, at, address))
    at += length
  }
  return found
}

/**
 * The function that another hands its arguments to, all and unchanged, before it does anything else.
 *
 * @returns its address; undefined = it does not begin so
 */
export function x64PassesTo(code: Uint8Array, address: number): number | undefined {
  let at = startsWith(code, 0, ENDBR64) ? ENDBR64.length : 0
  // The stack is aligned for the call (System V ABI 3.2.2): SUB $8, RSP as GCC writes it, PUSH RAX as Clang does.
  if (startsWith(code, at, [0x48, 0x83, 0xec, 0x08])) at += 4
  else if (code[at] === 0x50) at += 1
  else return undefined
  return code[at] === CALL && at + RELATIVE_BYTES <= code.length ? targetOf(code, at, address) : undefined
}

function targetOf(code: Uint8Array, at: number, address: number): number {
  const distance = new DataView(code.buffer, code.byteOffset, code.byteLength).getInt32(at + 1, true)
  return address + at + RELATIVE_BYTES + distance
}

function isEmulated(code: Uint8Array, at: number): boolean {
  const opcode = code[at]!
  return isPush(code, at) || isJumpIf(code, at) || opcode === 0x90 || opcode === 0xeb || opcode === JUMP || opcode === CALL
}

/** PUSH of one of the 16 registers. */
function isPush(code: Uint8Array, at: number): boolean {
  return (code[code[at] === 0x41 ? at + 1 : at]! & 0xf8) === 0x50
}

function isJumpIf(code: Uint8Array, at: number): boolean {
  return (code[at]! & 0xf0) === 0x70 || (code[at] === 0x0f && (code[at + 1]! & 0xf0) === 0x80)
}

/** Length of an instruction that changes nothing but flags: ENDBR64, and TEST of two registers; 0 = it is another. */
function idleBytes(code: Uint8Array, at: number): number {
  if (startsWith(code, at, ENDBR64)) return ENDBR64.length
  const opcode = (code[at]! & 0xf0) === 0x40 ? at + 1 : at
  return code[opcode] === 0x85 && code[opcode + 1]! >= 0xc0 ? opcode + 2 - at : 0
}

function startsWith(code: Uint8Array, at: number, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => code[at + index] === byte)
}
