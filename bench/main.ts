/**
 * `make bench`: what watching the gateway costs, tool beside tool, in one run.
 *
 * Each round runs every tool once under the same load (bench/load); rounds are interleaved, so that a machine that slows
 * down slows all alike. The table shows medians. `--rounds N` (5), `--seconds N` (8), `--tools a,b`.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, cpSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bpfStats, programCosts } from './bpf-cost.ts'
import type { ProgramCost } from './bpf-cost.ts'
import { RunningTool, TOOLS } from './tools.ts'
import type { Tool } from './tools.ts'

const load = fileURLToPath(new URL('load', import.meta.url))

interface Sample {
  perSecond: number
  cpuMicroseconds: number
  kept: number
  residentMiB: number
  programs: ProgramCost[]
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '8' }, tools: { type: 'string' } },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const names = values.tools?.split(',')
const tools = TOOLS.filter((tool) => names === undefined || names.includes(tool.name.split(' ')[0]!))

const work = mkdtempSync(join(tmpdir(), 'lintel-bench-'))
cpSync(load, work, { recursive: true })
const nginx = spawn('nginx', ['-p', work, '-c', 'nginx.conf', '-e', 'error.log'], { stdio: 'inherit' })
await delay(500)
const samples = new Map<string, Sample[]>(tools.map((tool) => [tool.name, []]))
try {
  for (let round = 0; round < rounds; round++) {
    for (const tool of tools) {
      const sample = await measure(tool, join(work, `${round}-${tool.port}`))
      samples.get(tool.name)!.push(sample)
      console.error(`round ${round + 1}/${rounds} ${tool.name}: ${Math.round(sample.perSecond)}/s`)
    }
  }
} finally {
  nginx.kill('SIGQUIT')
  await delay(200)
  rmSync(work, { recursive: true, force: true })
}
print()

async function measure(tool: Tool, out: string): Promise<Sample> {
  mkdirSync(out, { recursive: true })
  const stats = bpfStats()
  const running = await RunningTool.start(tool, out)
  const before = running?.cpuSeconds() ?? 0
  const { requests, perSecond } = await wrk(tool.port)
  await delay(500) // what is still on its way to the tool belongs to the run
  const cpu = (running?.cpuSeconds() ?? 0) - before
  const residentMiB = running?.residentMiB() ?? 0
  const programs = tool.name === 'lintel' ? programCosts() : []
  await running?.stop()
  stats.close()
  const kept = tool.kept?.(out, requests) ?? Number.NaN
  rmSync(out, { recursive: true, force: true })
  return { perSecond, cpuMicroseconds: (cpu / requests) * 1e6, kept, residentMiB, programs }
}

async function wrk(port: number): Promise<{ requests: number; perSecond: number }> {
  const url = `http://127.0.0.1:${port}/api/v1/users/42?expand=orders`
  const child = spawn('wrk', ['-t1', '-c32', `-d${seconds}`, '-s', join(load, 'headers.lua'), url])
  let output = ''
  child.stdout.on('data', (data: Buffer) => { output += data.toString() })
  await new Promise((resolve) => { child.once('exit', resolve) })
  const requests = Number(/(\d+) requests in/.exec(output)?.[1])
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1])
  if (!(requests > 0)) throw new Error(`Cannot read what wrk printed: ${output}`)
  return { requests, perSecond }
}

function median(numbers: number[]): number {
  const sorted = numbers.filter((number) => !Number.isNaN(number)).sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function print(): void {
  const model = cpus()[0]?.model ?? 'unknown CPU'
  console.log(`\nCost at saturation: medians of ${rounds} interleaved rounds of ${seconds} s, ${cpus().length} x ${model}, `
    + `${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, nginx 1 worker, wrk 1 thread, 32 connections\n`)
  const bare = median(samples.get('nothing')?.map((sample) => sample.perSecond) ?? [])
  console.log('| tool | requests/s | share of bare | CPU of the tool per exchange | kept | resident memory |')
  console.log('| --- | --- | --- | --- | --- | --- |')
  for (const tool of tools) {
    const runs = samples.get(tool.name)!
    const rate = median(runs.map((sample) => sample.perSecond))
    const own = tool.command !== undefined
    const kept = median(runs.map((sample) => sample.kept))
    console.log(`| ${tool.name} | ${Math.round(rate)} | ${(rate / bare).toFixed(2)} | `
      + `${own ? `${median(runs.map((sample) => sample.cpuMicroseconds)).toFixed(2)} µs` : '-'} | `
      + `${Number.isNaN(kept) ? '-' : `${(kept * 100).toFixed(2)} %`} | `
      + `${own ? `${Math.round(median(runs.map((sample) => sample.residentMiB)))} MiB` : '-'} |`)
  }
  printPrograms()
}

function printPrograms(): void {
  const runs = samples.get('lintel')?.flatMap((sample) => sample.programs) ?? []
  for (const name of new Set(runs.map((cost) => cost.name))) {
    const costs = runs.filter((cost) => cost.name === name && cost.runs > 0)
    console.log(`\nKernel program ${name}: ${Math.round(median(costs.map((cost) => cost.nanoseconds / cost.runs)))} ns a packet `
      + `(bpf_stats, median of ${costs.length} rounds; every packet of the load, bare acknowledgements included)`)
  }
}

