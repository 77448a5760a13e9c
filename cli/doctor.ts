import { accessSync, constants, readFileSync, readdirSync } from 'node:fs'
import { release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { EXIT } from './exit.ts'
import { interfaceNames } from './interfaces.ts'

/** `needed` = live capture does not work without; `one of` = one of its group does; `nice` = a choice more. */
type Weight = 'needed' | 'nice' | 'transport' | 'hook'

export interface Finding {
  readonly what: string
  readonly answer: 'yes' | 'no' | 'unknown'
  readonly detail: string
  /** What to do when the answer is not yes. */
  readonly mend: string
  readonly weight: Weight
}

const root = fileURLToPath(new URL('..', import.meta.url))

/** `lintel doctor`: what this kernel and these privileges allow. Exit code 1 when live capture cannot work. */
export async function doctor(): Promise<void> {
  const findings = [kernel(), ...privileges(), memoryLock(), ...built(), ...await kernelFeatures(), ...interfaces()]
  process.stdout.write(report(findings))
  process.exitCode = canCapture(findings) ? EXIT.ok : EXIT.failure
}

/** True when live capture can work with one hook and one transport at least. */
function canCapture(findings: readonly Finding[]): boolean {
  const has = (weight: Weight) => findings.some(finding => finding.weight === weight && finding.answer === 'yes')
  return findings.every(finding => finding.weight !== 'needed' || finding.answer === 'yes') && has('transport') && has('hook')
}

/** The table, the mends, the verdict. */
export function report(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(finding => finding.what.length))
  const rows = findings.map(finding => `${mark(finding)}  ${finding.what.padEnd(width)}  ${finding.detail}`)
  const wanting = findings.filter(finding => finding.answer !== 'yes' && finding.mend !== '')
  const mends = wanting.map(finding => `  ${finding.what}: ${finding.mend}`)
  const verdict = canCapture(findings) ? 'Live capture works here: lintel run'
    : 'Live capture cannot work here yet. Capture files can be read all the same: lintel replay FILE'
  return `${rows.join('\n')}\n${mends.length === 0 ? '' : `\nWhat to do:\n${mends.join('\n')}\n`}\n${verdict}\n`
}

function mark({ answer, weight }: Finding): string {
  if (answer === 'yes') return styleText('green', 'ok     ', { stream: process.stdout })
  if (answer === 'unknown') return styleText('yellow', 'unknown', { stream: process.stdout })
  return weight === 'needed' ? styleText('red', 'missing', { stream: process.stdout })
    : styleText('yellow', 'no     ', { stream: process.stdout })
}

function kernel(): Finding {
  const version = release()
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isRecent = major > 5 || (major === 5 && minor >= 5)
  return {
    what: 'kernel', answer: isRecent ? 'yes' : 'no', weight: 'needed', detail: version,
    mend: 'Linux 5.5 is the oldest that has all that is needed; 6.6 and later have TCX as well',
  }
}

/** Bits of include/uapi/linux/capability.h that loading and attaching ask for. */
const CAPABILITIES = [['CAP_BPF', 39], ['CAP_NET_ADMIN', 12], ['CAP_PERFMON', 38]] as const
const CAP_SYS_ADMIN = 21

function privileges(): Finding[] {
  const status = readFileSync('/proc/self/status', 'utf8')
  const bits = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  const has = (bit: number) => ((bits >> BigInt(bit)) & 1n) === 1n
  return CAPABILITIES.map(([name, bit]) => {
    const byAdmin = !has(bit) && name !== 'CAP_NET_ADMIN' && has(CAP_SYS_ADMIN)
    return {
      what: `privilege ${name}`, answer: has(bit) || byAdmin ? 'yes' : 'no', weight: 'needed',
      detail: byAdmin ? 'by way of CAP_SYS_ADMIN' : has(bit) ? 'held' : 'not held',
      mend: 'run as root, e.g. sudo bin/lintel run',
    }
  })
}

function memoryLock(): Finding {
  const line = /^Max locked memory\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 'unknown'
  const [major = 0, minor = 0] = release().split('.').map(Number)
  // Since 5.11 BPF memory counts towards the memory cgroup, not towards RLIMIT_MEMLOCK.
  const byCgroup = major > 5 || (major === 5 && minor >= 11)
  const isEnough = byCgroup || line === 'unlimited' || Number(line) >= 64 * 1024 * 1024
  return {
    what: 'memory lock limit', answer: isEnough ? 'yes' : 'no', weight: 'nice',
    detail: byCgroup ? `${line}; this kernel does not count BPF memory towards it` : line, mend: 'run: ulimit -l unlimited',
  }
}

function built(): Finding[] {
  return [['build/lintel.wasm', 'byte module'], ['build/packets.bpf.o', 'kernel programs']].map(([path = '', what = '']) => {
    let isThere = true
    try {
      accessSync(root + path, constants.R_OK)
    } catch {
      isThere = false
    }
    return { what, answer: isThere ? 'yes' : 'no', weight: 'needed', detail: isThere ? path : `${path} is not there`, mend: 'run: make build' }
  })
}

type Probe = readonly [what: string, weight: Weight, mend: string, probe: (feature: Features) => { answer: Finding['answer'], reason: string }]
type Features = (typeof import('../lib/ebpf/mod.ts'))['feature']

const PROBES: readonly Probe[] = [
  ['BTF of the kernel', 'nice', 'capture works without it; "make build" needs it (CONFIG_DEBUG_INFO_BTF), so build elsewhere and copy build/',
    feature => feature.btf()],
  ['ring buffer', 'transport', 'use --transport perf (the kernel is older than 5.8)', feature => feature.ringBuffer()],
  ['perf buffer', 'transport', 'use --transport ring', feature => feature.mapType('perf_event_array')],
  ['attach tcx', 'hook', 'use --attach clsact (the kernel is older than 6.6)', feature => feature.tcxLink()],
  ['attach clsact', 'hook', 'boot a kernel with CONFIG_NET_CLS_BPF', feature => feature.programType('sched_cls')],
  ['attach xdp', 'nice', 'only needed for --attach xdp', feature => feature.programType('xdp')],
  ['attach socket', 'nice', 'only needed for --attach socket', feature => feature.programType('socket_filter')],
  ['attach cgroup', 'nice', 'only needed for --attach cgroup', feature => feature.programType('cgroup_skb')],
  ['processes named', 'nice', 'records go without the processes at the ends of connections: those need Linux 6.3 with BTF', processes],
  ['cgroup v2', 'nice', 'only needed for --attach cgroup; mount it: mount -t cgroup2 none /sys/fs/cgroup', feature => feature.cgroup2()],
]

/** The same kernel features as src/capture/kernel/process-programs.ts asks for, with the defaults of attach and transport. */
function processes(feature: Features): { answer: Finding['answer'], reason: string } {
  const tracepoints = ['sock_send_length', 'sock_recv_length', 'inet_sock_set_state'].map(name => feature.typedTracepoint(name))
  const missing = [feature.mapType('sk_storage'), feature.ringBuffer(), ...tracepoints].find(({ answer }) => answer !== 'yes')
  if (missing !== undefined) return missing
  const exact = feature.typedTracepoint('tcp_sendmsg_locked').answer === 'yes'
  return { answer: 'yes', reason: exact ? 'before each packet is sent' : 'after it was sent (before Linux 6.16): a new sender shows one packet late' }
}

async function kernelFeatures(): Promise<Finding[]> {
  try {
    const { feature } = await import('../lib/ebpf/mod.ts')
    return PROBES.map(([what, weight, mend, probe]) => {
      const { answer, reason } = probe(feature)
      return { what, weight, answer, detail: reason, mend: answer === 'unknown' ? 'ask again as root' : mend }
    })
  } catch (error) {
    return [{
      what: 'libbpf', weight: 'needed', answer: 'no', detail: (error as Error).message.split('\n')[0] ?? '',
      mend: 'install it: apt-get install libbpf1',
    }]
  }
}

/** linux/if_arp.h: devices that have an Ethernet header, none at all, or are a loopback. */
const LINK_TYPES: ReadonlyMap<number, string> = new Map([[1, 'Ethernet'], [772, 'loopback'], [65534, 'raw IP'], [768, 'IP in IP'], [778, 'GRE']])

function interfaces(): Finding[] {
  const names = interfaceNames()
  const visible = new Set(readdirSync('/sys/class/net'))
  return names.map(name => {
    const type = visible.has(name) ? Number(readFileSync(`/sys/class/net/${name}/type`, 'utf8')) : -1
    const state = visible.has(name) ? readFileSync(`/sys/class/net/${name}/operstate`, 'utf8').trim() : 'unknown'
    const link = LINK_TYPES.get(type)
    return {
      what: `interface ${name}`, weight: 'nice', answer: type === -1 ? 'unknown' : link === undefined ? 'no' : 'yes',
      detail: type === -1 ? 'not shown under /sys/class/net' : `${link ?? `link type ${type}, which is not understood`}, ${state}`,
      mend: type === -1 ? '/sys is of another network namespace; capture may work all the same' : 'leave it out with --interface',
    }
  })
}
