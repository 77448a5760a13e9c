import { readFileSync, writeFileSync } from 'node:fs'

import { lastErrno, libbpf, libc } from './libbpf.ts'
import { fail, failureOf } from './syscall.ts'

const BPF_STATS_RUN_TIME = 0
const SYSCTL = '/proc/sys/kernel/bpf_stats_enabled'

/**
 * Run time and count of every program on the machine, off by default since they cost about 20 ns a run.
 * Kernel 5.8 counts while a descriptor is open, so `kill -9` ends it; older kernels have a sysctl only,
 * which is set back on dispose.
 */
export const bpfStats = {
  /** Counts until the answer is disposed: `using stats = bpfStats.enable()`. */
  enable(): Disposable {
    // SAFETY: no memory is passed.
    const fd = libbpf.bpf_enable_stats(BPF_STATS_RUN_TIME)
    let undo = (): void => void libc.close(fd)
    if (fd < 0) undo = enableBySysctl(lastErrno())
    let enabled = true
    return {
      [Symbol.dispose]: () => {
        if (enabled) undo()
        enabled = false
      },
    }
  },
} as const

function enableBySysctl(errno: number): () => void {
  try {
    const before = readFileSync(SYSCTL, 'utf8')
    writeFileSync(SYSCTL, '1')
    return () => writeFileSync(SYSCTL, before)
  } catch {
    return fail('Cannot enable the run statistics of BPF programs', failureOf(errno), {
      EPERM: 'run as root or with CAP_SYS_ADMIN',
    })
  }
}
