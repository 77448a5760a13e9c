import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { LINTEL } from '../gateway/testing/lintel.ts'
import { Metrics } from '../gateway/testing/metrics.ts'
import { Running } from '../gateway/testing/process.ts'
import { SECONDS } from './growth.ts'
import { HeapInspector, INSPECTED } from './live-heap.ts'

/** What an agent holds in the kernel: ids by the descriptors of its process. */
export interface Held { readonly programs: Set<number>; readonly links: Set<number>; readonly maps: Map<number, HeldMap> }
interface HeldMap { readonly type: number; readonly bytes: number }

/** enum bpf_map_type, include/uapi/linux/bpf.h: those whose entries can be counted by their keys */
const COUNTED = new Set([1, 9])

/**
 * `bin/lintel run` on the soak's ports alone, with figures served, and an output that is rotated every few seconds. Of the files that
 * speak TLS it reads those of the soak: probes on what else comes and goes on the machine would look like growth.
 */
export class Agent {
  readonly directory: string
  readonly process: Running
  readonly metricsAddress: string
  readonly #heap: HeapInspector
  /** The least since the last sample. */
  #residentKib = Infinity

  private constructor(directory: string, process: Running, metricsAddress: string, heap: HeapInspector) {
    this.directory = directory
    this.process = process
    this.metricsAddress = metricsAddress
    this.#heap = heap
  }

  static async start(ports: string, metricsPort: number, tlsFolder: string): Promise<Agent> {
    const directory = mkdtempSync(join(tmpdir(), 'lintel-soak-'))
    const ready = join(directory, 'ready.json')
    const wanted = JSON.stringify(['/lib/*', '/usr/lib/*', execPath, `${tlsFolder}/*`])
    writeFileSync(join(directory, 'lintel.yaml'), `
capture: { ports: ["${ports}"], interfaces: [lo], tls: { paths: { include: ${wanted} } } }
metrics: { address: "127.0.0.1:${metricsPort}" }
data_directory: ${directory}
outputs:
  - { type: file, path: ${directory}/log.ndjson, rotate: { bytes: 16MiB, age: 5s }, keep: { files: 1000, bytes: 4GiB }, compress: false }
`)
    const process = new Running(LINTEL, ['run', '--config', join(directory, 'lintel.yaml'), '--ready-file', ready],
      { env: { ...env, ...INSPECTED } })
    await process.untilFile(ready)
    return new Agent(directory, process, `127.0.0.1:${metricsPort}`, await HeapInspector.connect(process.errors))
  }

  /** The descriptors' own words (fdinfo, Documentation/bpf and kernel/bpf/syscall.c: bpf_map_show_fdinfo and its like). */
  held(): Held {
    const held: Held = { programs: new Set(), links: new Set(), maps: new Map() }
    for (const name of readdirSync(`/proc/${this.process.pid}/fdinfo`)) {
      const figures = figuresOf(`/proc/${this.process.pid}/fdinfo/${name}`)
      const [link, program, map] = [figures.get('link_id'), figures.get('prog_id'), figures.get('map_id')].map(Number)
      if (figures.has('link_id')) held.links.add(link!)
      else if (figures.has('prog_id')) held.programs.add(program!)
      if (figures.has('map_id')) {
        held.maps.set(map!, { type: Number(figures.get('map_type')), bytes: Number(figures.get('memlock') ?? 0) })
      }
    }
    return held
  }

  /** What is held is the least between two samples: garbage that waits to be collected comes and goes. */
  lookAtMemory(): void {
    this.#residentKib = Math.min(this.#residentKib, Number.parseInt(figuresOf(`/proc/${this.process.pid}/status`).get('VmRSS') ?? '', 10))
  }

  /** What lives in its heaps, without garbage. It holds the agent up for some 100 ms: every few minutes is enough. */
  async liveHeap(): Promise<Map<string, number>> {
    return new Map([[SECONDS, performance.now() / 1000], ...await this.#heap.live()])
  }

  async sample(): Promise<Map<string, number>> {
    const { pid } = this.process
    this.lookAtMemory()
    const residentKib = this.#residentKib
    this.#residentKib = Infinity
    const held = this.held()
    const metrics = await Metrics.scrape(this.metricsAddress)
    const status = figuresOf(`/proc/${pid}/status`)
    const sample = new Map<string, number>([
      [SECONDS, performance.now() / 1000],
      ['rss_kib', residentKib],
      ['threads', Number(status.get('Threads'))],
      ['fds', readdirSync(`/proc/${pid}/fd`).length],
      ['programs', held.programs.size],
      ['links', held.links.size],
      ['map_bytes', [...held.maps.values()].reduce((sum, { bytes }) => sum + bytes, 0)],
      ['connections_open', metrics.get('lintel_connections_open')],
      ['records_queued', metrics.get('lintel_records_queued')],
      ['cpu_seconds', metrics.get('process_cpu_seconds_total')],
      ['packets_lost', lostOf(metrics, 'lintel_packets_total')],
      ['tls_calls_lost', lostOf(metrics, 'lintel_tls_calls_total')],
      ['records_logged', metrics.get('lintel_records_total{outcome="logged",reason=""}')],
    ])
    for (const [id, { type }] of held.maps) {
      if (!COUNTED.has(type)) continue
      const { name, entries } = await entriesOf(id)
      sample.set(`entries_${name}`, entries)
    }
    return sample
  }

  async metrics(): Promise<Metrics> {
    return await Metrics.scrape(this.metricsAddress)
  }

  /** SIGTERM, drained. @returns the exit code */
  async stop(): Promise<number> {
    this.#heap.close()
    return await this.process.stop('SIGTERM')
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Objects of an agent that are in the kernel although it has ended; some time is given to the kernel's deferred work. */
export async function leftOf(held: Held): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const left = [...stillThere('prog', held.programs), ...stillThere('link', held.links), ...stillThere('map', new Set(held.maps.keys()))]
    if (left.length === 0 || tries > 100) return left
    await delay(100)
  }
}

function stillThere(kind: 'prog' | 'link' | 'map', ids: ReadonlySet<number>): string[] {
  const all = JSON.parse(execFileSync('bpftool', ['-j', kind, 'show'], { encoding: 'utf8', maxBuffer: 1 << 26 })) as { id: number }[]
  return all.filter(({ id }) => ids.has(id)).map(({ id }) => `${kind} ${id}`)
}

/** Lost, whatever the reason. */
function lostOf(metrics: Metrics, family: string): number {
  let sum = 0
  for (const [name, value] of metrics.samples) if (name.startsWith(`${family}{outcome="lost"`)) sum += value
  return sum
}

/** Lines of `name: value`. */
function figuresOf(path: string): Map<string, string> {
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    // closed meanwhile
  }
  return new Map([...text.matchAll(/^(\w+):\s*(.*)$/gm)].map((match) => [match[1]!, match[2]!] as const))
}

/** Counts the keys of a map, by what bpftool prints of it. */
async function entriesOf(id: number): Promise<{ name: string; entries: number }> {
  const { name } = JSON.parse(execFileSync('bpftool', ['-j', 'map', 'show', 'id', String(id)], { encoding: 'utf8' })) as { name: string }
  const dump = new Running('sh', ['-c', `bpftool -p map dump id ${id} | grep -c '^ *"formatted": {'`])
  await dump.finish()
  return { name, entries: Number(dump.output) }
}
