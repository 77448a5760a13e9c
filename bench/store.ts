/**
 * How fast do records get from a replay into a store, and how much room do they take?
 *
 *     node bench/store.ts CAPTURE [times]
 *
 * The capture is replayed so many times in a row (default 4), into a store and, apart from that, into a file. The rate counts from
 * the start of the replay to the last record in a finished segment, start of both processes included.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listStore } from '../src/sink/store/mod.ts'

const LINTEL = fileURLToPath(new URL('../bin/lintel', import.meta.url))
/** The header of a capture file without packets. */
const EMPTY_PCAP = Buffer.from('d4c3b2a1020004000000000000000000000004000100000'.padEnd(48, '0'), 'hex')

const [capture, times = '4'] = process.argv.slice(2)
if (capture === undefined) throw new Error('Cannot measure without a capture: node bench/store.ts CAPTURE [times]')
const files = Array.from({ length: Number(times) }, () => capture)
const folder = mkdtempSync(join(tmpdir(), 'lintel-bench-'))
try {
  measure()
} finally {
  rmSync(folder, { recursive: true })
}

function measure(): void {
  const store = join(folder, 'store')
  const log = join(folder, 'log', 'all.ndjson')
  replay(files, `file:${log}`)
  const start = performance.now()
  const records = replay(files, `store:${store}`)
  const written = performance.now() - start
  // What did not get packed within the 5 s of the end is packed by the next that opens the store.
  const nothing = join(folder, 'nothing.pcap')
  writeFileSync(nothing, EMPTY_PCAP)
  for (let left = 100; listStore(store).journals.length > 0 && left > 0; left--) replay([nothing], `store:${store}`)
  const packed = performance.now() - start
  const lines = readdirSync(join(folder, 'log')).map(name => join(folder, 'log', name))
  const raw = lines.reduce((sum, path) => sum + sizeOf(path), 0)
  const zstd = lines.reduce((sum, path) => sum + Number(run('sh', ['-c', `zstd -3 -c -q "${path}" | wc -c`])), 0)
  const segments = listStore(store).segments.reduce((sum, { path }) => sum + sizeOf(path), 0)
  console.log('| records | replay ended after | all packed after | records/s | NDJSON B/record | NDJSON.zst | store |')
  console.log('| --- | --- | --- | --- | --- | --- | --- |')
  console.log(`| ${records} | ${seconds(written)} | ${seconds(packed)} | ${Math.round(records / packed * 1000)} | ` +
    `${(raw / records).toFixed(1)} | ${(zstd / records).toFixed(1)} | ${(segments / records).toFixed(1)} |`)
}

/** @returns records logged */
function replay(captures: readonly string[], output: string): number {
  const { stderr } = spawnSync(LINTEL, ['replay', ...captures, '--output', output], { encoding: 'utf8' })
  const logged = /logged (\d+)/.exec(stderr)?.[1]
  if (logged === undefined) throw new Error(`Cannot replay: ${stderr}`)
  return Number(logged)
}

function run(command: string, args: readonly string[]): string {
  return spawnSync(command, args, { encoding: 'utf8' }).stdout
}

function sizeOf(path: string): number {
  return statSync(path).size
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
