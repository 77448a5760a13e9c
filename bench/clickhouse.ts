/**
 * What does a record cost in a ClickHouse: bytes on its disk, CPU of the server to take it and of the agent to send it, and a question?
 *
 *     LINTEL_ENGINES=... node bench/clickhouse.ts [records]
 *
 * Records (default 1000000) of a day at a gateway, as `make bench` makes them for stores, go through the output clickhouse into the engine of
 * `tools/engines.sh`, on this machine. Sizes are those of the active parts, once merged.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openOutput } from '../src/sink/exporters/exporter.suite.ts'
import { RecordingHost } from '../src/sink/sink.suite.ts'
import { ClickHouse } from '../test/engines/testing/clickhouse-server.ts'
import { scaleSql } from '../test/engines/testing/scale-sql.ts'
import { generatedBatch } from './harness/generated-records.ts'

const COUNT = Number(process.argv[2] ?? 1_000_000)
const BATCH = 1000
const QUESTIONS = [
  'SELECT count(), quantileTDigest(0.99)(duration) FROM records',
  "SELECT count() FROM records WHERE http_request_header['x-tenant-id'][1] = 't-7'",
  "SELECT * FROM records WHERE trace_id = '00000000000000000000000000000000' FORMAT Null",
  'SELECT url_domain, sum(requests) AS n, quantileTDigestMerge(0.99)(durations) FROM requests_by_minute GROUP BY 1 ORDER BY n DESC',
]

const folder = mkdtempSync(join(tmpdir(), 'lintel-bench-'))
const server = await ClickHouse.start(join(folder, 'data'))
try {
  await measure()
} finally {
  await server.kill()
  rmSync(folder, { recursive: true })
}

async function measure(): Promise<void> {
  await server.makeTables()
  for (const statement of scaleSql()) await server.ask(statement)
  const host = new RecordingHost()
  const sink = openOutput({
    type: 'clickhouse', url: server.url, spool: { path: join(folder, 'spool'), max_bytes: '16GiB' },
    batch: { records: 20_000, bytes: '32MiB', age: '5s' }, compression: 'none', timeout: '10m', drain: '1h',
  }, host)
  let [json, made] = [0, 0]
  const [start, serverBefore] = [performance.now(), cpuSeconds(server.pid)]
  const before = process.cpuUsage()
  for (let first = 0; first < COUNT; first += BATCH) {
    const at = process.cpuUsage()
    const batch = generatedBatch(first, Math.min(BATCH, COUNT - first), COUNT)
    const { user, system } = process.cpuUsage(at)
    made += user + system
    json += batch.bytes.length
    sink.write(batch)
    await sink.flush()
  }
  while ((sink.health().delivery?.sent ?? 0) < COUNT) await sleep(10)
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - start) / 1000
  const serverCpu = cpuSeconds(server.pid) - serverBefore
  await sink.close()
  if (host.logs.length > 0) throw new Error(host.logs.join('\n'))
  await server.ask('OPTIMIZE TABLE lintel.records FINAL')
  const [records, index, rollUp] = [await sizeOf('records'), await ask("SELECT sum(secondary_indices_compressed_bytes) FROM system.parts " +
    "WHERE active AND database = 'lintel' AND table = 'records'"), await sizeOf('requests_by_minute')]
  const each = (value: number, digits = 1): string => (value / COUNT).toFixed(digits)
  console.log(`${COUNT} records, ${Math.round(COUNT / seconds)}/s; CPU a record: agent ${each(user + system - made, 2)} µs, server ` +
    `${each(serverCpu * 1e6)} µs; bytes a record: NDJSON ${each(json)}, ClickHouse ${each(records)} (indexes ${each(Number(index))} of them), ` +
    `roll-up ${each(rollUp, 3)}`)
  for (const question of QUESTIONS) {
    const began = performance.now()
    await server.ask(question, { database: 'lintel' })
    console.log(`${Math.round(performance.now() - began)} ms: ${question}`)
  }
}

async function ask(sql: string): Promise<string> {
  return (await server.ask(sql)).trim()
}

async function sizeOf(table: string): Promise<number> {
  return Number(await ask(`SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'lintel' AND table = '${table}'`))
}

/** User and system time of a process and its threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
