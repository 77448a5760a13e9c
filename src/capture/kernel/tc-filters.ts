import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Ours among the filters of an interface: nobody else takes it by chance. */
const PRIORITY = 0x4c4e
/** Process ids are below 2^22 (include/linux/threads.h): the bits above tell several sources of one process apart. */
const PID_BITS = 22
const SOURCES_MAX = 1 << 9

let sources = 0

/** For each source that attaches filters. The handle tells whose they are: a clsact filter outlives its maker. */
export function newTcOwner(): TcOwner {
  sources = (sources + 1) % SOURCES_MAX
  return { handle: (sources << PID_BITS) | process.pid, priority: PRIORITY }
}

export interface TcOwner { readonly handle: number; readonly priority: number }

interface TcFilter { readonly pref?: number; readonly options?: { readonly handle?: string; readonly bpf_name?: string } }

/** Removes filters of Lintel whose process is gone; answers how many. Without the program `tc` it finds none. */
export function removeDeadFilters(): number {
  let removed = 0
  for (const name of clsactInterfaces()) {
    const before = removed
    for (const direction of ['ingress', 'egress']) {
      for (const filter of listFilters(name, direction)) {
        const handle = Number(filter.options?.handle ?? 0)
        if (!isOurs(filter) || existsSync(`/proc/${handle & ((1 << PID_BITS) - 1)}`)) continue
        tc(['filter', 'del', 'dev', name, direction, 'pref', String(PRIORITY), 'handle', String(handle), 'bpf'])
        removed++
      }
    }
    if (removed > before && listFilters(name, 'ingress').length + listFilters(name, 'egress').length === 0) {
      tc(['qdisc', 'del', 'dev', name, 'clsact'])
    }
  }
  return removed
}

function isOurs(filter: TcFilter): boolean {
  return filter.pref === PRIORITY && filter.options?.bpf_name?.startsWith('lintel_') === true
}

function clsactInterfaces(): string[] {
  const text = tc(['-j', 'qdisc', 'show', 'clsact'])
  const rows = text === undefined || text.trim() === '' ? [] : JSON.parse(text) as { kind?: string; dev?: string }[]
  return rows.flatMap((row) => row.kind === 'clsact' && row.dev !== undefined ? [row.dev] : [])
}

function listFilters(name: string, direction: string): TcFilter[] {
  const text = tc(['-j', 'filter', 'show', 'dev', name, direction])
  const rows = text === undefined || text.trim() === '' ? [] : JSON.parse(text) as TcFilter[]
  return rows.filter((row) => row.options?.handle !== undefined)
}

/** What `tc` prints; undefined when it failed, e.g. because the interface has no clsact. */
function tc(args: readonly string[]): string | undefined {
  try {
    return execFileSync('tc', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return undefined
  }
}
