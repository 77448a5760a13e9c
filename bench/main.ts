/**
 * `make bench`: what Lintel costs and keeps, beside other tools, in one run.
 *
 *     make bench ARGS='--tables saturation,rate,growth --rounds 5 --seconds 8 --tools lintel,tcpdump'
 *
 * Every comparison is made in turns within one run, so that a machine that slows down slows all alike. Tables go to
 * standard output as Markdown, figures to build/bench.json; progress goes to standard error. Needs root, a quiet machine,
 * and the packages that `make bench` installs. `bench/report.ts` puts them into docs/benchmarks.md.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { exporters } from './exporters.ts'
import { FIELD } from './field.ts'
import { packagesOf, requireCommands } from './harness/commands.ts'
import { describeMachine, machineLine } from './harness/machine.ts'
import type { Question, Settings } from './harness/question.ts'
import type { BenchRun } from './harness/result.ts'
import { Interrupted, Session } from './harness/session.ts'
import { markdownSection } from './harness/table.ts'
import type { Table } from './harness/table.ts'
import { floods } from './floods.ts'
import { growth } from './growth.ts'
import { kernel } from './kernel.ts'
import { latency } from './latency.ts'
import { rate } from './rate.ts'
import { replay } from './replay.ts'
import { saturation } from './saturation.ts'
import { store } from './store-views.ts'
import { stored } from './stored.ts'

const QUESTIONS: readonly Question[] = [saturation, rate, kernel, latency, stored, growth, floods, replay, store, exporters]
const HELP = `Measures Lintel beside other tools and prints the tables. About 100 minutes for all of them.

  make bench ARGS='...' with
  --tables LIST    some of these, with commas between; about so many minutes by default
${QUESTIONS.map(({ name, asks, minutes }) => `    ${name.padEnd(14)} ${String(minutes).padStart(3)}  ${asks}`).join('\n')}
  --tools LIST     some of ${FIELD.map(({ key }) => key).join(', ')} (saturation, rate)
  --rounds N       of each comparison; default 5. rate, stored and replay take 3 at most, growth 2
  --seconds N      of each load; default 8. rate takes 2 at most, growth 1; replay reads 125 MB for each
  --records N      in the store; default 10000000
`
const RESULT = fileURLToPath(new URL('../build/bench.json', import.meta.url))

try {
  await main()
} catch (error) {
  if (error instanceof Interrupted) {
    console.error('bench: interrupted; nothing was left running and no figure was kept')
    process.exitCode = 130
  } else {
    console.error(`bench: error: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}

async function main(): Promise<void> {
  const options = readOptions()
  if (options === undefined) {
    console.log(HELP)
    return
  }
  const { questions, settings } = options
  const isLive = questions.some(({ isOffline }) => isOffline !== true)
  if (isLive && process.getuid?.() !== 0) throw new Error('Cannot load programs into the kernel without root; run: sudo make bench')
  const commands = [...(isLive ? ['bpftool'] : []), ...questions.flatMap((question) => question.needs(settings))]
  requireCommands(commands)
  if (isLive) requireAlone()
  const machine = describeMachine(packagesOf(commands))
  if (machine.loadBefore > 0.5) {
    console.error(`bench: the load of this machine is ${machine.loadBefore}: other work will show in the figures`)
  }
  const time = new Date().toISOString()
  const tables: Table[] = []
  for (const question of questions) tables.push(...await answer(question, settings))
  if (tables.length === 0) return
  console.log(`${machineLine(machine)}\n\n${tables.map(markdownSection).join('\n\n')}`)
  const result: BenchRun = { time, machine, arguments: process.argv.slice(2), tables }
  mkdirSync(fileURLToPath(new URL('../build', import.meta.url)), { recursive: true })
  writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
  console.error('bench: figures are in build/bench.json')
}

/** The tables of one question. One that fails does not take the figures of the others with it, but the bench ends with 1. */
async function answer(question: Question, settings: Settings): Promise<Table[]> {
  try {
    await using session = new Session()
    return await question.measure(session, settings)
  } catch (error) {
    if (error instanceof Interrupted) throw error
    console.error(`bench: error: no table "${question.name}": ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
    return []
  }
}

/** Undefined: help is wanted. */
function readOptions(): { questions: readonly Question[]; settings: Settings } | undefined {
  const { values } = parseArgs({
    options: {
      tables: { type: 'string' },
      tools: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '8' },
      records: { type: 'string', default: '10000000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const names = QUESTIONS.map(({ name }) => name)
  const tables = choice('tables', values.tables, names) ?? names
  const tools = choice('tools', values.tools, FIELD.map(({ key }) => key))
  const settings: Settings = {
    rounds: wholeNumber('rounds', values.rounds), seconds: wholeNumber('seconds', values.seconds), tools,
    records: wholeNumber('records', values.records),
    progress: (line) => { console.error(line) },
  }
  return { questions: QUESTIONS.filter(({ name }) => tables.includes(name)), settings }
}

function choice(flag: string, text: string | undefined, known: readonly string[]): readonly string[] | undefined {
  const names = text?.split(',')
  const unknown = names?.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`Cannot choose --${flag} "${unknown}"; it is one of ${known.join(', ')}`)
  return names
}

function wholeNumber(flag: string, text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new Error(`Cannot use --${flag} "${text}"; it is a whole number from 1 up`)
  return number
}

/** A second Lintel on the interface of the load would stand in every figure. */
function requireAlone(): void {
  const text = execFileSync('bpftool', ['-j', 'net', 'show', 'dev', 'lo'], { encoding: 'utf8' })
  const [attached] = JSON.parse(text) as { tc?: { name?: string }[] }[]
  if (attached?.tc?.some(({ name }) => name?.startsWith('lintel_') === true) === true) {
    throw new Error('Cannot measure while another Lintel watches lo; stop it first. What is left of one that was killed '
      + '("bpftool net show dev lo") goes with: tc qdisc del dev lo clsact')
  }
}
