import { libbpf } from './libbpf.ts'
import { CStruct, fail, failureOf } from './syscall.ts'

export interface TestRunOptions {
  /** How often to run; `durationNs` is the mean. 1 unless given. */
  readonly repeat?: number
  /** The program's context struct; types such as `syscall` write their changes back into it. */
  readonly context?: Uint8Array
  /** Room for the packet the program leaves; by default the input's length and 256 bytes. */
  readonly outSize?: number
  /** Run on this CPU; raw tracepoints only. */
  readonly cpu?: number
}

export interface TestRunResult {
  /** The program's return value, unsigned. */
  readonly returnValue: number
  /** The packet as the program left it; empty for programs that have none. */
  readonly output: Uint8Array
  /** Mean of the runs in nanoseconds, as the kernel measured it. */
  readonly durationNs: number
}

/** sizeof(struct bpf_test_run_opts), libbpf 1.1. */
const TEST_RUN_OPTS_BYTES = 80
const BPF_F_TEST_RUN_ON_CPU = 1
const HEADROOM_BYTES = 256
/** A signal interrupts a test run; so often it is tried again. */
const INTERRUPTED_MAX = 16

/** BPF_PROG_TEST_RUN. Packet programs want an input of at least 14 bytes; others take the context only. */
export function runTest(
  program: { readonly name: string; readonly fd: number }, input: Uint8Array, options: TestRunOptions,
): TestRunResult {
  const { repeat = 1, context, cpu } = options
  const output = new Uint8Array(options.outSize ?? (input.length > 0 ? input.length + HEADROOM_BYTES : 0))
  const build = (): CStruct => {
    const run = CStruct.options(TEST_RUN_OPTS_BYTES)
    if (cpu !== undefined) run.u32(68, BPF_F_TEST_RUN_ON_CPU).u32(72, cpu)
    if (repeat !== 1) run.u32(60, repeat)
    if (input.length > 0) run.pointer(8, input).u32(24, input.length)
    if (output.length > 0) run.pointer(16, output).u32(28, output.length)
    if (context !== undefined) run.pointer(32, context).u32(48, context.length)
    return run
  }
  for (let attempt = 1; ; attempt += 1) {
    const run = build()
    // SAFETY: each pointer in the struct stands beside the length of the memory behind it.
    const error = libbpf.bpf_prog_test_run_opts(program.fd, run.bytes)
    if (error >= 0) {
      return {
        returnValue: run.getU32(56),
        output: output.subarray(0, Math.min(run.getU32(28), output.length)),
        durationNs: run.getU32(64),
      }
    }
    const failure = failureOf(error)
    if ((failure.code === 'EINTR' || failure.code === 'EAGAIN') && attempt < INTERRUPTED_MAX) continue
    fail(`Cannot test-run the program "${program.name}"`, failure, {
      EINVAL: 'the input is too short for a packet (14 bytes), or this type wants a context only',
      ENOSPC: 'the program made the packet longer; raise outSize',
      ENOTSUPP: 'the kernel has no test run for this program type',
      EPERM: 'run as root or with CAP_BPF and CAP_NET_ADMIN',
    })
  }
}
