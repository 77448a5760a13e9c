import { readFileSync } from 'node:fs'

/** include/uapi/linux/capability.h; those BPF asks for. */
export const Capability = {
  CAP_NET_ADMIN: 12, CAP_NET_RAW: 13, CAP_SYS_ADMIN: 21, CAP_SYS_RESOURCE: 24, CAP_PERFMON: 38, CAP_BPF: 39,
} as const
export type Capability = keyof typeof Capability

/** Which of `wanted` this process lacks. CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON as well. */
export function missingCapabilities(wanted: readonly Capability[]): Capability[] {
  const status = readFileSync('/proc/self/status', 'utf8')
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  const has = (capability: Capability): boolean => ((effective >> BigInt(Capability[capability])) & 1n) === 1n
  const isCovered = (capability: Capability): boolean =>
    (capability === 'CAP_BPF' || capability === 'CAP_PERFMON') && has('CAP_SYS_ADMIN')
  return wanted.filter((capability) => !has(capability) && !isCovered(capability))
}
