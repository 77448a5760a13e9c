/**
 * What the kernel programs cost in nanoseconds: for a record made, for a packet on a port that is not wanted, for a bare
 * acknowledgement. Under wrk on lo as bpf_stats tell, and alone with warm caches as test runs tell.
 *
 * In: needs root, nginx, wrk, clang and `make build`; `--seconds N` for each round (4), `--rounds N` (3).
 *
 * bpf_stats reads the clock twice a run, some 60 ns in a virtual machine: the row "an empty program" says how much, and
 * the last column takes it off.
 *
 * @module
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'

import { ByteMemory } from '../lib/bytes/mod.ts'
import { BpfObject, bpfStats, interfaceIndex } from '../lib/ebpf/mod.ts'
import { KernelSource } from '../src/capture/kernel/mod.ts'
import type { KernelFilters, ProgramCost } from '../src/capture/kernel/mod.ts'
import { ProgramBench } from '../test/kernel/testing/program-bench.ts'
import { ACK, PSH, SYN, ethernet, ipv4, tcp } from '../test/kernel/testing/frames.ts'

const PORT = 8081
const ROOM_BYTES = 4 << 20
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '4' } } })

interface Round { readonly nanoseconds: number; readonly requests: number; readonly note: string }

const memory = new ByteMemory()
const pointer = memory.reserve(ROOM_BYTES)
const work = mkdtempSync(join(tmpdir(), 'lintel-kernel-cost-'))
cpSync(fileURLToPath(new URL('load', import.meta.url)), work, { recursive: true })

/** Runs wrk; `turn` is called over and over meanwhile. Answers how many requests it made. */
async function load(turn: () => void): Promise<number> {
  const child = spawn('wrk', ['-t1', '-c32', `-d${values.seconds}`, '-s', 'headers.lua', `http://127.0.0.1:${PORT}/api/v1/users/42?expand=orders`],
    { cwd: work, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  let ended = false
  child.stdout.on('data', (chunk: Buffer) => { text += String(chunk) })
  child.on('close', () => { ended = true })
  while (!ended) {
    turn()
    await nextTurn()
  }
  return Number(/(\d+) requests in/.exec(text)?.[1] ?? Number.NaN)
}

function perRun(costs: readonly Pick<ProgramCost, 'runs' | 'nanoseconds'>[]): number {
  return costs.reduce((sum, cost) => sum + cost.nanoseconds, 0) / costs.reduce((sum, cost) => sum + cost.runs, 0)
}

async function captured(filters: KernelFilters): Promise<Round> {
  using source = new KernelSource({ memory, interfaces: ['lo'], filters })
  using _stats = bpfStats.enable()
  const requests = await load(() => {
    source.wait(20)
    while (source.fill(pointer, ROOM_BYTES) > 0) continue
  })
  source.detach()
  const { delivered, lost, notWanted } = source.counters()
  const note = `${delivered} records, ${notWanted.get('port')} not wanted, ${[...lost.values()].reduce((sum, each) => sum + each)} lost`
  return { nanoseconds: perRun(source.costs()), requests, note }
}

const NOTHING = `__attribute__((section("tc"), used)) int lintel_nothing(void *context) { return -1; }
char LICENSE[] __attribute__((section("license"), used)) = "GPL";\n`

async function empty(): Promise<Round> {
  const path = join(work, 'nothing.bpf.o')
  execFileSync(process.env['CLANG'] ?? 'clang-19', ['-O2', '-g', '-target', 'bpf', '-x', 'c', '-', '-c', '-o', path], { input: NOTHING })
  using object = BpfObject.open(path)
  object.load()
  const program = object.program('lintel_nothing')
  program.attachTcx(interfaceIndex('lo'), 'ingress')
  using _stats = bpfStats.enable()
  const requests = await load(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20))
  const info = program.info()
  return { nanoseconds: perRun([{ runs: Number(info.runCount), nanoseconds: Number(info.runTimeNs) }]), requests, note: '' }
}

/** The best of many test runs of one frame, which stays in the caches. */
function alone(what: string, filters: KernelFilters, frame: Uint8Array, before: readonly Uint8Array[] = []): void {
  using bench = new ProgramBench({ ringBytes: 1 << 24 }, filters)
  bench.send(before)
  let best = Infinity
  for (let round = 0; round < 20; round++) {
    best = Math.min(best, bench.object.program('lintel_ingress').testRun(frame, { repeat: 5000 }).durationNs)
    bench.records()
  }
  print(what, best, '', 'test run')
}

function print(what: string, nanoseconds: number, net: string, note: string): void {
  console.log(`${what.padEnd(44)}${nanoseconds.toFixed(0).padStart(6)} ns${net.padStart(9)}  ${note}`)
}

function median(rounds: readonly Round[]): Round {
  return rounds.toSorted((a, b) => a.nanoseconds - b.nanoseconds)[rounds.length >> 1]!
}

const nginx = spawn('nginx', ['-p', work, '-c', 'nginx.conf', '-e', 'error.log'], { stdio: 'inherit' })
await delay(500)
try {
  const rounds: { nothing: Round[]; records: Round[]; unwanted: Round[] } = { nothing: [], records: [], unwanted: [] }
  for (let round = 0; round < Number(values.rounds); round++) {
    rounds.nothing.push(await empty())
    rounds.records.push(await captured({ ports: [[PORT, PORT]] }))
    rounds.unwanted.push(await captured({ ports: [[1, 1]] }))
  }
  const floor = median(rounds.nothing).nanoseconds
  const rows = [['an empty program', rounds.nothing], ['a record', rounds.records], ['a packet on another port', rounds.unwanted]] as const
  for (const [what, each] of rows) {
    const { nanoseconds, requests, note } = median(each)
    print(`${what}, under wrk`, nanoseconds, `${(nanoseconds - floor).toFixed(0)} net`, `${requests} requests ${note}`)
  }
  const frame = (flags: number, payload: string): Uint8Array => ethernet(0x0800, ipv4({}, tcp({ flags, sequence: 1001 }, payload)))
  const request = frame(ACK | PSH, 'GET / HTTP/1.1\r\n'.padEnd(500, 'x'))
  alone('a packet on another port, alone', { ports: [[1, 1]] }, request)
  alone('a bare acknowledgement, alone', { ports: [[80, 80]] }, frame(ACK, ''))
  alone('a segment of an unknown protocol, alone', { ports: [[80, 80]] }, frame(ACK | PSH, '\x16\x03\x01'.padEnd(500, 'x')),
    [ethernet(0x0800, ipv4({}, tcp({ flags: SYN, sequence: 1000 }))), frame(ACK | PSH, '\x16\x03\x01'.padEnd(500, 'x'))])
  alone('a record of 500 bytes, alone', { ports: [[80, 80]] }, request)
} finally {
  nginx.kill('SIGQUIT')
  await delay(200)
  rmSync(work, { recursive: true, force: true })
}
