/** What was settled is delivered, wherever `kill -9` falls, and each kill doubles a batch at most. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Kept, until } from '../../src/sink/exporters/exporter.suite.ts'
import { SINK_KINDS } from '../../src/sink/registry.ts'
import { type Served, serveEvery, WITHOUT_SERVER } from './testing/every-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-delivery-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const CHILD = fileURLToPath(new URL('testing/spooler-child.ts', import.meta.url))
/** `LINTEL_DELIVERY_KILLS=1000` for the long run, `LINTEL_DELIVERY_SEED` to repeat one. */
const KILLS = Number(process.env['LINTEL_DELIVERY_KILLS'] ?? 50)
const SEED = Number(process.env['LINTEL_DELIVERY_SEED'] ?? Date.now() % 1_000_000)
const BATCH_RECORDS = 25
/** Until it has sent something: the client of Kafka takes its time to load. */
const KILL_MS = { kafka: 2000, others: 250 }

/** mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** @returns the lines that the child told */
async function run(options: object, first: number, count: number, killAfterMs?: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, JSON.stringify(options), String(first), String(count)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err]: [string[], string[]] = [[], []]
  child.stdout.on('data', (data: Buffer) => out.push(data.toString()))
  child.stderr.on('data', (data: Buffer) => err.push(data.toString()))
  const gone = once(child, 'close')
  if (killAfterMs !== undefined) {
    await Promise.race([once(child.stdout, 'data'), gone])
    await sleep(killAfterMs)
    child.kill('SIGKILL')
  }
  await gone
  assert.doesNotMatch(err.join(''), /damaged|Cannot open/)
  // The last line may be cut short by the kill; what it would say is then not known to be settled.
  return out.join('').split('\n').slice(0, -1)
}

test(`${KILLS} random kills while records are spooled and delivered lose no settled record, and double a batch each at most`, async context => {
  context.diagnostic(`LINTEL_DELIVERY_SEED=${SEED}`)
  const random = randomFrom(SEED)
  const arrived: Kept[] = []
  const servers = await serveEvery(arrived, {
    isRefused: () => random() < 0.05,
    delayMs: () => random() < 0.5 ? 0 : Math.floor(random() * 8),
  })
  assert.deepEqual([...new Set([...servers.map(({ options: { type } }) => type), ...WITHOUT_SERVER])].sort(), SINK_KINDS.map(({ type }) => type).sort())
  // One spool goes from one exporter to another.
  const options = { spool: { path: join(folder, 'spool') }, batch: { records: BATCH_RECORDS, age: '1ms' }, retry: { max_wait: '20ms' } }
  const settled = new Set<number>()
  const ends = new Set<number>() // how many had arrived when the agent was gone
  let most = -1000
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const { options: own, isQuiet } = servers[Math.floor(random() * servers.length)] as Served
      const killMs = own.type === 'kafka' ? KILL_MS.kafka : KILL_MS.others
      const lines = await run({ ...own, ...options }, most + 1000, 0, Math.floor(random() * killMs))
      await until('what it sent is read', isQuiet)
      ends.add(arrived.length)
      for (const line of lines) {
        const [start, count] = line.split(' ').map(Number) as [number, number]
        for (let number = start; number < start + count; number++) settled.add(number)
        most = start + count
      }
    }
    const told = (await run({ ...servers[0]?.options, ...options, drain: '1h' }, most + 1000, 100)).at(-1) as string
    const { spooled, found, sent, refused, dropped, waitingRecords } = JSON.parse(told) as Record<string, number>
    assert.deepEqual({ spooled, sent, refused, dropped, waitingRecords }, { spooled: 100, sent: (found as number) + 100, refused: 0, dropped: [], waitingRecords: 0 })
    const first = new Map<string, number>() // ids to numbers, in order of their first arrival
    let doubled = 0
    let [interrupted, between] = [0, 0] // kills that doubled something; doubled since the last kill
    for (const [index, { id, number }] of arrived.entries()) {
      if (ends.has(index)) between = 0
      if (first.has(id)) {
        assert.equal(first.get(id), number, 'an id is of one record')
        doubled++
        if (between++ === 0) interrupted++
        assert.ok(between <= BATCH_RECORDS, `seed ${SEED}: ${between} doubled after one kill`)
      } else first.set(id, number)
    }
    const numbers = [...first.values()]
    assert.equal(new Set(numbers).size, numbers.length, 'a record has one id')
    const there = new Set(numbers)
    assert.deepEqual([...settled].filter(number => !there.has(number)), [], `seed ${SEED}: settled records are missing`)
    assert.ok(numbers.every((number, index) => index === 0 || number > (numbers[index - 1] as number)), `seed ${SEED}: out of order`)
    assert.ok(settled.size > KILLS * 10, `only ${settled.size} were settled`)
    context.diagnostic(`${KILLS} kills: ${settled.size} records acknowledged to the agent, 0 of them missing, ${numbers.length} arrived, `
      + `${doubled} twice after ${interrupted} of the kills, ${BATCH_RECORDS} (a batch) at most after one`)
  } finally {
    for (const server of servers) await server.kill()
  }
})
