import { libbpf } from './libbpf.ts'
import { CStruct, fail, lastFailure } from './syscall.ts'

/** What the kernel tells about a loaded program (`struct bpf_prog_info`). */
export interface ProgramInfo {
  readonly id: number
  /** As the kernel keeps it: cut to 15 bytes. */
  readonly name: string
  /** Eight bytes in hex that change with the program's instructions. */
  readonly tag: string
  /** Nanoseconds spent in it while bpf_stats were enabled. */
  readonly runTimeNs: bigint
  /** Runs while bpf_stats were enabled. */
  readonly runCount: bigint
  /** Runs the kernel left out since the program was running on that CPU already. */
  readonly recursionMisses: bigint
  /** Bytes of machine code; 0 when the JIT is off. */
  readonly jitedLength: number
  /** Bytes of BPF instructions after the verifier's rewrites. */
  readonly xlatedLength: number
  /** Instructions the verifier walked through; 0 before kernel 5.16. */
  readonly verifiedInstructions: number
  readonly mapCount: number
}

/** sizeof(struct bpf_prog_info) up to attach_btf_id; an older kernel fills less and leaves zeros. */
const PROG_INFO_BYTES = 232

export function readProgramInfo(program: { readonly name: string; readonly fd: number }): ProgramInfo {
  const info = new CStruct(PROG_INFO_BYTES)
  const length = new CStruct(4).u32(0, PROG_INFO_BYTES)
  // SAFETY: `info` has the length stated; its array pointers are zero, so the kernel fills no array.
  if (libbpf.bpf_obj_get_info_by_fd(program.fd, info.bytes, length.bytes) < 0) {
    fail(`Cannot read about the program "${program.name}"`, lastFailure())
  }
  const name = info.bytes.subarray(64, 80)
  const end = name.indexOf(0)
  return {
    id: info.getU32(4),
    name: new TextDecoder().decode(name.subarray(0, end < 0 ? 16 : end)),
    tag: Buffer.from(info.bytes.subarray(8, 16)).toString('hex'),
    runTimeNs: info.getU64(192),
    runCount: info.getU64(200),
    recursionMisses: info.getU64(208),
    jitedLength: info.getU32(16),
    xlatedLength: info.getU32(20),
    verifiedInstructions: info.getU32(216),
    mapCount: info.getU32(52),
  }
}
