/**
 * What do the kernel programs cost: for a record made, for a packet that is counted or not wanted?
 *
 * Under load as bpf_stats tell, in rounds of their own, since the statistics cost something themselves; and alone with
 * warm caches as test runs tell.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BpfObject, bpfStats, interfaceIndex } from '../lib/ebpf/mod.ts'
import type { KernelFilters } from '../src/capture/kernel/mod.ts'
import { ACK, PSH, SYN, ethernet, ipv4, tcp } from '../test/kernel/testing/frames.ts'
import { ProgramBench } from '../test/kernel/testing/program-bench.ts'
import { QUIET_PORT } from './field.ts'
import { figure } from './harness/figure.ts'
import type { Cell } from './harness/figure.ts'
import { Gateway } from './harness/gateway.ts'
import { PATH, runWrk } from './harness/generator.ts'
import type { Question } from './harness/question.ts'
import { RunningTool } from './harness/running-tool.ts'
import type { Session } from './harness/session.ts'
import type { Table } from './harness/table.ts'
import { lintelCommand } from './lintel-command.ts'
import type { LintelOptions } from './lintel-command.ts'

const CONNECTIONS = 32
const CLANG = process.env['CLANG'] ?? 'clang-19'
/** A port that nothing in the load uses. */
const OTHER_PORT = 1
const DRAIN_MS = 500
const BAR_RECORD = 350
const BAR_NOT_WANTED = 80

interface Runs { readonly runs: number; readonly nanoseconds: number }

interface Costs {
  readonly packets: Runs
  /** Of the programs that name processes and find the sockets of TLS, at calls that connect, send or receive. */
  readonly calls: Runs
  /** Records the programs delivered to user space. */
  readonly records: number
}

export const kernel: Question = {
  name: 'kernel',
  asks: 'what the kernel programs cost',
  minutes: 5,
  needs: () => ['nginx', 'wrk', 'bpftool', CLANG],
  async measure(session, settings) {
    await using gateway = await Gateway.start(session, 'nginx.conf', [QUIET_PORT])
    const rounds: Record<'empty' | 'wanted' | 'counted' | 'other', Costs[]> = { empty: [], wanted: [], counted: [], other: [] }
    const load = async (): Promise<void> => {
      const url = `http://127.0.0.1:${QUIET_PORT}${PATH}`
      await runWrk(session, { url, seconds: settings.seconds, connections: CONNECTIONS, folder: gateway.folder })
      await session.delay(DRAIN_MS)
    }
    for (let round = 0; round < settings.rounds; round++) {
      rounds.empty.push(await emptyProgram(session, load))
      rounds.wanted.push(await lintel(session, QUIET_PORT, load))
      rounds.counted.push(await lintel(session, QUIET_PORT, load, { capture: { mode: 'metrics' } }))
      rounds.other.push(await lintel(session, OTHER_PORT, load))
      settings.progress(`kernel, round ${round + 1}/${settings.rounds}: `
        + `${perRecord(all(rounds.wanted.at(-1)!), rounds.wanted.at(-1)!).toFixed(0)} ns a record, `
        + `${perRun(rounds.other.at(-1)!.packets).toFixed(0)} ns a packet not wanted`)
    }
    const empty = rounds.empty.map(({ packets }) => perRun(packets))
    const under = (
      what: string, runs: (costs: Costs) => Runs, of: readonly Costs[], bar: string,
      per: (runs: Runs, costs: Costs) => number = perRun,
    ): Cell[] => {
      const gross = of.map((costs) => per(runs(costs), costs))
      const net = of.map((costs, round) => per(without(empty[round]!, runs(costs)), costs))
      return [what, 'bpf_stats under load', figure(gross, 'ns'), figure(net, 'ns'), bar]
    }
    return [table(`rounds: ${settings.rounds} of ${settings.seconds} s each`, [
      ['an empty program, a packet', 'bpf_stats under load', figure(empty, 'ns'), '-', '-'],
      under('a record made: all programs', all, rounds.wanted, `<= ${BAR_RECORD} ns`, perRecord),
      under('a record made: those at packets', ({ packets }) => packets, rounds.wanted, '-', perRecord),
      under('a packet of the wanted port', ({ packets }) => packets, rounds.wanted, '-'),
      under('a packet of the wanted port, counted in the kernel', ({ packets }) => packets, rounds.counted, '-'),
      under('a call that sends or receives', ({ calls }) => calls, rounds.wanted, '-'),
      under('a packet not wanted', ({ packets }) => packets, rounds.other, `<= ${BAR_NOT_WANTED} ns`),
      ...testRuns(),
    ])]
  },
}

function perRun({ nanoseconds, runs }: Runs): number {
  return nanoseconds / runs
}

/** Everything the programs took, also for packets of which no record was made, falls to the records. */
function perRecord({ nanoseconds }: Runs, { records }: Costs): number {
  return nanoseconds / records
}

function all({ packets, calls }: Costs): Runs {
  return { runs: packets.runs + calls.runs, nanoseconds: packets.nanoseconds + calls.nanoseconds }
}

/** Less what an empty program shows, for each run. */
function without(empty: number, { runs, nanoseconds }: Runs): Runs {
  return { runs, nanoseconds: nanoseconds - runs * empty }
}

/** Lintel as a whole, watching one port, with statistics on during the load only. */
async function lintel(session: Session, port: number, load: () => Promise<void>, config?: LintelOptions['config']): Promise<Costs> {
  const out = join(session.folder, 'lintel')
  const others = new Set(programs().map(({ id }) => id))
  const running = await RunningTool.start(session, lintelCommand(port, config === undefined ? {} : { config }), out)
  let packets: Runs
  let calls: Runs
  {
    using _stats = bpfStats.enable()
    await load()
    const ours = programs().filter(({ id }) => !others.has(id))
    packets = sum(ours.filter(({ name }) => name === AT_PACKETS))
    calls = sum(ours.filter(({ name }) => name !== AT_PACKETS))
  }
  await running.stop()
  const totals = readFileSync(join(out, 'stderr'), 'utf8')
  const records = Number(/= delivered (\d+) \+/.exec(totals)?.[1] ?? Number.NaN)
  if (Number.isNaN(records)) throw new Error(`Cannot read the totals of lintel: ${totals}`)
  rmSync(out, { recursive: true, force: true })
  return { packets, calls, records }
}

interface ProgramEntry {
  readonly id: number
  readonly name?: string
  readonly run_cnt?: number
  readonly run_time_ns?: number
}

/** Attached to lo by TCX or clsact; all others run where a process connects, sends or receives, or calls a TLS library. */
const AT_PACKETS = 'lintel_egress'

/** Lintel's loaded programs, from bpftool. */
function programs(): ProgramEntry[] {
  const all = JSON.parse(execFileSync('bpftool', ['-j', 'prog', 'show'], { encoding: 'utf8' })) as ProgramEntry[]
  return all.filter(({ name }) => name?.startsWith('lintel_') === true)
}

function sum(entries: readonly ProgramEntry[]): Runs {
  return {
    runs: entries.reduce((total, entry) => total + (entry.run_cnt ?? 0), 0),
    nanoseconds: entries.reduce((total, entry) => total + (entry.run_time_ns ?? 0), 0),
  }
}

const NOTHING = `__attribute__((section("tc"), used)) int bench_nothing(void *context) { return -1; }
char LICENSE[] __attribute__((section("license"), used)) = "GPL";\n`

/** What the statistics themselves take: the clock is read twice a run. */
async function emptyProgram(session: Session, load: () => Promise<void>): Promise<Costs> {
  const path = join(session.folder, 'nothing.bpf.o')
  execFileSync(CLANG, ['-O2', '-g', '-target', 'bpf', '-x', 'c', '-', '-c', '-o', path], { input: NOTHING })
  using object = BpfObject.open(path)
  object.load()
  const program = object.program('bench_nothing')
  program.attachTcx(interfaceIndex('lo'), 'egress')
  using _stats = bpfStats.enable()
  await load()
  const info = program.info()
  const packets = { runs: Number(info.runCount), nanoseconds: Number(info.runTimeNs) }
  return { packets, calls: { runs: 0, nanoseconds: 0 }, records: 0 }
}

/** One frame over and over, attached nowhere: everything stays in the caches. */
function testRuns(): Cell[][] {
  const frame = (flags: number, payload: string, sequence = 1001): Uint8Array => (
    ethernet(0x0800, ipv4({}, tcp({ flags, sequence }, payload))))
  const request = frame(ACK | PSH, 'GET / HTTP/1.1\r\n'.padEnd(500, 'x'))
  const unknown = frame(ACK | PSH, '\x16\x03\x01'.padEnd(500, 'x'))
  return [
    testRun('a record of 500 bytes', { ports: [[80, 80]] }, request),
    testRun('a packet not wanted', { ports: [[OTHER_PORT, OTHER_PORT]] }, request),
    testRun('a bare acknowledgement', { ports: [[80, 80]] }, frame(ACK, '')),
    testRun('a segment of an unknown protocol', { ports: [[80, 80]] }, unknown, [frame(SYN, '', 1000), unknown]),
  ]
}

function testRun(what: string, filters: KernelFilters, frame: Uint8Array, before: readonly Uint8Array[] = []): Cell[] {
  using bench = new ProgramBench({ ringBytes: 1 << 24 }, filters)
  bench.send(before)
  const durations = Array.from({ length: 20 }, () => {
    const { durationNs } = bench.object.program('lintel_ingress').testRun(frame, { repeat: 5000 })
    bench.records()
    return durationNs
  })
  return [what, 'test run, warm caches', figure(durations, 'ns'), '-', '-']
}

function table(rounds: string, rows: Cell[][]): Table {
  return {
    name: 'kernel',
    title: 'Kernel programs',
    about: [
      `Load: as for the cost at saturation; ${rounds}, apart from its rounds since the statistics (bpf_stats) slow every packet.`,
      'Medians, in brackets the least and the most. "Net": without what an empty program shows in the same round, which is what',
      'the statistics themselves take, for each run. "A record made": the time of all programs for all packets and calls ÷',
      'records delivered; then of those alone that run at packets. The others name processes and find the sockets of TLS.',
      `"A packet not wanted": Lintel watches port ${OTHER_PORT}, the load is on port ${QUIET_PORT}.`,
      'Test runs: one frame 20 times 5,000 times.',
    ],
    columns: ['what', 'measured by', 'time', 'net', 'bar'],
    rows,
    plots: [{ title: 'Time of the kernel programs', column: 'time' }],
  }
}
