/**
 * What do the kernel programs cost: for a record made, for a packet that is not wanted?
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

const CONNECTIONS = 32
const CLANG = process.env['CLANG'] ?? 'clang-19'
/** A port that nothing in the load uses. */
const OTHER_PORT = 1
const DRAIN_MS = 500
const BAR_RECORD = 600
const BAR_NOT_WANTED = 150

interface Costs {
  readonly runs: number
  readonly nanoseconds: number
  /** Records the programs delivered to user space. */
  readonly records: number
  /** Of the programs that name processes. */
  readonly calls: { readonly runs: number; readonly nanoseconds: number }
}

export const kernel: Question = {
  name: 'kernel',
  needs: () => ['nginx', 'wrk', 'bpftool', CLANG],
  async measure(session, settings) {
    await using gateway = await Gateway.start(session, 'nginx.conf', [QUIET_PORT])
    const rounds: Record<'empty' | 'wanted' | 'other', Costs[]> = { empty: [], wanted: [], other: [] }
    const load = async (): Promise<void> => {
      const url = `http://127.0.0.1:${QUIET_PORT}${PATH}`
      await runWrk(session, { url, seconds: settings.seconds, connections: CONNECTIONS, folder: gateway.folder })
      await session.delay(DRAIN_MS)
    }
    for (let round = 0; round < settings.rounds; round++) {
      rounds.empty.push(await emptyProgram(session, load))
      rounds.wanted.push(await lintel(session, QUIET_PORT, load))
      rounds.other.push(await lintel(session, OTHER_PORT, load))
      settings.progress(`kernel, round ${round + 1}/${settings.rounds}: `
        + `${perRecord(rounds.wanted.at(-1)!).toFixed(0)} ns a record, `
        + `${perRun(rounds.other.at(-1)!).toFixed(0)} ns a packet not wanted`)
    }
    const under = (what: string, per: (costs: Costs) => number, of: readonly Costs[], bar: string): Cell[] => {
      const net = of.map((costs, round) => per(costs) - perRun(rounds.empty[round]!))
      return [what, 'bpf_stats under load', figure(of.map(per), 'ns'), figure(net, 'ns'), bar]
    }
    return [table(`rounds: ${settings.rounds} of ${settings.seconds} s each`, [
      ['an empty program, a packet', 'bpf_stats under load', figure(rounds.empty.map(perRun), 'ns'), '-', '-'],
      under('a record made', perRecord, rounds.wanted, `<= ${BAR_RECORD} ns`),
      under('a packet of the wanted port', perRun, rounds.wanted, '-'),
      under('a call that sends or receives', ({ calls }) => perRun(calls), rounds.wanted, '-'),
      under('a packet not wanted', perRun, rounds.other, `<= ${BAR_NOT_WANTED} ns`),
      ...testRuns(),
    ])]
  },
}

function perRun({ nanoseconds, runs }: Pick<Costs, 'runs' | 'nanoseconds'>): number {
  return nanoseconds / runs
}

/** Everything the programs took, also for packets of which no record was made, falls to the records. */
function perRecord({ nanoseconds, records }: Costs): number {
  return nanoseconds / records
}

/** Lintel as a whole, watching one port, with statistics on during the load only. */
async function lintel(session: Session, port: number, load: () => Promise<void>): Promise<Costs> {
  const out = join(session.folder, 'lintel')
  const others = new Set(programs().map(({ id }) => id))
  const running = await RunningTool.start(session, lintelCommand(port), out)
  let costs: Pick<Costs, 'runs' | 'nanoseconds'>
  let calls: Pick<Costs, 'runs' | 'nanoseconds'>
  {
    using _stats = bpfStats.enable()
    await load()
    const ours = programs().filter(({ id }) => !others.has(id))
    costs = sum(ours.filter(({ name = '' }) => !CALLS.has(name)))
    calls = sum(ours.filter(({ name = '' }) => CALLS.has(name)))
  }
  await running.stop()
  const totals = readFileSync(join(out, 'stderr'), 'utf8')
  const records = Number(/= delivered (\d+) \+/.exec(totals)?.[1] ?? Number.NaN)
  if (Number.isNaN(records)) throw new Error(`Cannot read the totals of lintel: ${totals}`)
  rmSync(out, { recursive: true, force: true })
  return { ...costs, records, calls }
}

interface ProgramEntry {
  readonly id: number
  readonly name?: string
  readonly run_cnt?: number
  readonly run_time_ns?: number
}

/** They run where a process connects, sends or receives, and not for packets. */
const CALLS: ReadonlySet<string> = new Set(['lintel_connects', 'lintel_sends', 'lintel_sent', 'lintel_receives'])

/** Lintel's loaded programs, from bpftool. */
function programs(): ProgramEntry[] {
  const all = JSON.parse(execFileSync('bpftool', ['-j', 'prog', 'show'], { encoding: 'utf8' })) as ProgramEntry[]
  return all.filter(({ name }) => name?.startsWith('lintel_') === true)
}

function sum(entries: readonly ProgramEntry[]): Pick<Costs, 'runs' | 'nanoseconds'> {
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
  return { runs: Number(info.runCount), nanoseconds: Number(info.runTimeNs), records: 0, calls: { runs: 0, nanoseconds: 0 } }
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
      'the statistics themselves take. "A record made": the time of all programs for all packets ÷ records delivered.',
      `"A packet not wanted": Lintel watches port ${OTHER_PORT}, the load is on port ${QUIET_PORT}.`,
      'Test runs: one frame 20 times 5,000 times.',
    ],
    columns: ['what', 'measured by', 'time', 'net', 'bar'],
    rows,
    plots: [{ title: 'Time of the kernel programs', column: 'time' }],
  }
}
