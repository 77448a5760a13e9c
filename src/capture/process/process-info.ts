import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import {
  PACKET_EVENT, PROCESS_ARGUMENTS_CUT, PROCESS_ARGUMENTS_MISSING, PROCESS_CGROUP_CUT, PROCESS_EXECUTABLE_CUT, PROCESS_INFO,
  PROCESS_KERNEL_THREAD, PROCESS_PATH_MAX,
} from '../events.gen.ts'

/** A process as the kernel told it; what could not be read is left out. Texts are raw bytes: they need not be UTF-8. */
export interface ProcessInfo {
  /** Number in this run, as packets name it. */
  readonly process: number
  /** In the initial pid namespace. */
  readonly pid: number
  /** Nanoseconds since boot at which it began: pid and this name a process for ever. */
  readonly startTimeNs: bigint
  readonly userId: number
  readonly mountNamespace: number
  /** comm: at most 15 bytes, settable by the process. */
  readonly title: Uint8Array
  /** Absolute in its mount namespace. */
  readonly executable?: Uint8Array
  readonly cgroup?: Uint8Array
  /** Each with a NUL between it and the next. */
  readonly arguments?: Uint8Array
  readonly argumentsCut: boolean
}

const NAME_BYTES = 16

/**
 * The process of an EVENT_PROCESS; undefined when the event is not well formed.
 *
 * @param bytes of the event and what follows it
 */
export function readProcess(memory: ByteMemory, event: number, bytes: number): ProcessInfo | undefined {
  const at = event + memory.u16[(event + PACKET_EVENT.data_offset) >>> 1]!
  const end = event + bytes
  if (at % 8 !== 0 || at + PROCESS_INFO.bytes > end) return undefined
  const view = memory.view
  const u32 = (offset: number): number => view.getUint32(at + offset, true)
  const length = u32(PROCESS_INFO.arguments_length)
  if (at + PROCESS_INFO.bytes + length > end) return undefined
  const flags = u32(PROCESS_INFO.flags)
  const bytesAt = (from: number, count: number): Uint8Array => memory.u8.subarray(from, from + count)
  const path = (from: number, beginning: number): Uint8Array =>
    bytesAt(at + from + Math.min(beginning, PROCESS_PATH_MAX), Math.max(PROCESS_PATH_MAX - beginning, 0))
  const comm = bytesAt(at + PROCESS_INFO.name, NAME_BYTES)
  const isThread = (flags & PROCESS_KERNEL_THREAD) !== 0
  const [title, executable, cgroup, text] = copied(
    comm.subarray(0, comm.indexOf(0) < 0 ? NAME_BYTES : comm.indexOf(0)),
    path(PROCESS_INFO.executable, view.getUint16(at + PROCESS_INFO.executable_at, true)),
    path(PROCESS_INFO.cgroup, view.getUint16(at + PROCESS_INFO.cgroup_at, true)),
    withoutEnd(bytesAt(at + PROCESS_INFO.bytes, length)),
  )
  return {
    process: u32(PROCESS_INFO.process),
    pid: u32(PROCESS_INFO.pid),
    startTimeNs: view.getBigUint64(at + PROCESS_INFO.start_time_ns, true),
    userId: u32(PROCESS_INFO.user_id),
    mountNamespace: u32(PROCESS_INFO.mount_namespace),
    title,
    // A path whose beginning is missing is no path.
    ...(executable.length > 0 && (flags & PROCESS_EXECUTABLE_CUT) === 0 && !isThread ? { executable } : {}),
    ...(cgroup.length > 0 && (flags & PROCESS_CGROUP_CUT) === 0 ? { cgroup } : {}),
    ...(text.length > 0 && (flags & PROCESS_ARGUMENTS_MISSING) === 0 ? { arguments: text } : {}),
    argumentsCut: (flags & PROCESS_ARGUMENTS_CUT) !== 0,
  }
}

/** Copies of the parts in one buffer: thousands of processes are kept, and a buffer of its own costs more than most texts. */
function copied<Parts extends readonly Uint8Array[]>(...parts: Parts): Parts {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  return parts.map((part) => {
    all.set(part, at)
    at += part.length
    return all.subarray(at - part.length, at)
  }) as unknown as Parts
}

/** Without the NULs that end it: programs that set their title leave many. */
function withoutEnd(text: Uint8Array): Uint8Array {
  let length = text.length
  while (length > 0 && text[length - 1] === 0) length--
  return text.subarray(0, length)
}
