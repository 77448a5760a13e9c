import { BpfError } from './bpf-error.ts'
import { errnoMessage, errnoName } from './errno.ts'
import { addressOf, lastErrno, libc } from './libbpf.ts'
import type { Memory, Pointer } from './libbpf.ts'
import { SYSCALL_NUMBER } from './uapi.ts'

/** A zeroed C struct with fields written at their offsets; it keeps what it points to alive. */
export class CStruct {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly #view: DataView
  readonly #kept: Uint8Array[] = []

  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes)
    this.#view = new DataView(this.bytes.buffer)
  }

  /** Writes `size` as the struct's first field, as libbpf's `*_opts` structs want it. */
  static options(sizeBytes: number): CStruct {
    return new CStruct(sizeBytes).u64(0, BigInt(sizeBytes))
  }

  u32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, true)
    return this
  }

  u64(offset: number, value: bigint): this {
    this.#view.setBigUint64(offset, value, true)
    return this
  }

  /** Stores the address of `memory`. */
  pointer(offset: number, memory: Memory): this {
    if (memory === null) return this.u64(offset, 0n)
    if (typeof memory === 'bigint') return this.u64(offset, memory)
    this.#kept.push(memory)
    return this.u64(offset, addressOf(memory))
  }

  getU32(offset: number): number {
    return this.#view.getUint32(offset, true)
  }

  getU64(offset: number): bigint {
    return this.#view.getBigUint64(offset, true)
  }
}

/** A NUL-terminated C string. */
export function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`)
}

/** What went wrong in the last call, before anything else can overwrite errno. */
export interface Failure {
  readonly code: string
  readonly reason: string
}

/** Reads errno of the call just made. */
export function lastFailure(): Failure {
  return failureOf(lastErrno())
}

/** Names an errno; negative numbers, as libbpf returns them, are accepted. */
export function failureOf(errno: number): Failure {
  const number = Math.abs(errno)
  return { code: errnoName(number), reason: `${errnoMessage(number)} (${errnoName(number)})` }
}

/** Throws a BpfError made of `action`, the failure's reason and a mend for its code, if one is given. */
export function fail(action: string, failure: Failure, mends: Readonly<Record<string, string>> = {}): never {
  const mend = Object.hasOwn(mends, failure.code) ? `; ${mends[failure.code]}` : ''
  throw new BpfError(`${action}: ${failure.reason}${mend}`, failure.code)
}

/** The numbers of the two calls libbpf 1.1 does not wrap fully, for this processor. */
export function syscallNumber(name: 'bpf' | 'perf_event_open'): number {
  const numbers = SYSCALL_NUMBER[process.arch]
  if (numbers === undefined) {
    throw new BpfError(
      `Cannot call ${name}(2): no system call number for "${process.arch}"; x64, arm64 and riscv64 are known`,
      'ENOSYS')
  }
  return numbers[name]
}

/** bpf(2). Returns its result, or minus errno. */
export function bpfSyscall(command: number, attr: CStruct): number {
  // SAFETY: `attr` is at least as long as the size passed; the kernel checks the tail for zeros.
  const result = libc.syscall_bpf(syscallNumber('bpf'), command, attr.bytes, attr.bytes.length)
  return result < 0 ? -lastErrno() : result
}

/** Whether a call answered NULL. */
export function isNull(pointer: Pointer | null): pointer is null {
  return pointer === null || pointer === 0n
}
