import { readFileSync } from 'node:fs'

import { libbpf } from './libbpf.ts'
import { fail, failureOf } from './syscall.ts'

let possible: number | undefined

/** How many CPUs this machine may ever have: the number of values in a per-CPU map's entry. */
export function possibleCpus(): number {
  if (possible !== undefined) return possible
  // SAFETY: no memory is passed.
  const count = libbpf.libbpf_num_possible_cpus()
  if (count < 0) fail('Cannot count the possible CPUs', failureOf(count), { ENOENT: 'mount sysfs at /sys' })
  possible = count
  return count
}

/** The numbers of the CPUs that are online now. */
export function onlineCpus(): number[] {
  return parseCpuList(readFileSync('/sys/devices/system/cpu/online', 'utf8'))
}

/** Reads the kernel's list format: `0-3,8` is 0, 1, 2, 3 and 8 (admin-guide/cputopology.rst). */
export function parseCpuList(list: string): number[] {
  const cpus: number[] = []
  for (const part of list.trim().split(',')) {
    const [first, last = first] = part.split('-').map(Number)
    for (let cpu = first ?? 0; cpu <= (last ?? -1); cpu += 1) cpus.push(cpu)
  }
  return cpus
}
