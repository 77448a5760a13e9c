/** An acknowledged batch survives `kill -9`, wherever it falls: every settled record is there once, and the store opens every time. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ask, openStore, StoreHost } from './testing/stored.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const WRITER = fileURLToPath(new URL('testing/writer-child.ts', import.meta.url))
/** `LINTEL_STORE_KILLS=200` for the long run, `LINTEL_STORE_SEED` to repeat one. */
const KILLS = Number(process.env['LINTEL_STORE_KILLS'] ?? 20)
const SEED = Number(process.env['LINTEL_STORE_SEED'] ?? Date.now() % 1_000_000)

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

interface Told {
  /** Numbers of records that were settled as written. */
  readonly settled: number[]
  readonly complaints: string
}

/** Lets a writer work for a while, then kills it; with `packerToo` the process that packs was killed a moment before. */
async function killedRun(path: string, first: number, ms: number, packerToo: boolean): Promise<Told> {
  const writer = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WRITER, path, String(first)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err]: [string[], string[]] = [[], []]
  writer.stdout.on('data', (data: Buffer) => out.push(data.toString()))
  writer.stderr.on('data', (data: Buffer) => err.push(data.toString()))
  const gone = once(writer, 'close')
  await Promise.race([once(writer.stdout, 'data'), gone])
  await sleep(ms)
  if (packerToo) killChildren(writer.pid as number)
  writer.kill('SIGKILL')
  await gone
  // The last line may be cut short by the kill; what it would say is then not known to be settled.
  const lines = out.join('').split('\n').slice(0, -1).map(line => line.split(' ').map(Number) as [number, number])
  return { settled: lines.flatMap(([start, count]) => Array.from({ length: count }, (_, index) => start + index)), complaints: err.join('') }
}

function killChildren(pid: number): void {
  try {
    for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')) if (child !== '') process.kill(Number(child), 'SIGKILL')
  } catch {
    // There is none, or it has just ended.
  }
}

test(`${KILLS} random kills during ingest lose no settled record and double none`, async (context) => {
  context.diagnostic(`LINTEL_STORE_SEED=${SEED}`)
  const path = join(folder, 'killed')
  const random = randomFrom(SEED)
  const settled = new Set<number>()
  let first = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const told = await killedRun(path, first, Math.floor(random() * 1200), random() < 0.4)
    assert.ok(told.settled.length > 0, `seed ${SEED}, kill ${kill}: nothing was written: ${told.complaints}`)
    assert.doesNotMatch(told.complaints, /damaged|set aside|could not be read/, `seed ${SEED}, kill ${kill}`)
    for (const number of told.settled) settled.add(number)
    const rows = await ask(path, 'SELECT event_sequence, count(*), any_value(http_request_header[\'x-number\'][1]) FROM records GROUP BY 1')
    const found = new Set(rows.map(([number, count, header]) => {
      assert.equal(count, 1n, `seed ${SEED}, kill ${kill}: record ${String(number)} is there ${String(count)} times`)
      assert.equal(header, `n${String(number)}`)
      return Number(number)
    }))
    const missing = [...settled].filter(number => !found.has(number))
    assert.deepEqual(missing, [], `seed ${SEED}, kill ${kill}: settled records are missing`)
    // Those written but not told are there too; the next writer begins behind them.
    first = [...found].reduce((most, number) => Math.max(most, number), 0) + 1
  }
  const host = new StoreHost()
  const store = openStore(path, host)
  await store.close()
  assert.deepEqual(host.logs, [])
  const [[count]] = await ask(path, 'SELECT count(DISTINCT event_sequence) FROM records') as unknown as [[bigint]]
  assert.ok(Number(count) >= settled.size)
})
