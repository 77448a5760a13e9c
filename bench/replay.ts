/**
 * How fast is a capture file read, by Lintel with one worker and with two, and by tshark with the same kind of fields?
 *
 * @module
 */
import { readFileSync, readdirSync, rmSync, statSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { QUIET_PORT } from './field.ts'
import { writeCopies } from './harness/capture-copies.ts'
import type { Copies } from './harness/capture-copies.ts'
import { figure, medianOf } from './harness/figure.ts'
import type { Cell } from './harness/figure.ts'
import { Gateway } from './harness/gateway.ts'
import { PATH, runH2load } from './harness/generator.ts'
import { countExchanges, countLines, showMissing } from './harness/kept.ts'
import type { Question, Settings } from './harness/question.ts'
import { RunningTool } from './harness/running-tool.ts'
import type { Session } from './harness/session.ts'
import type { Table } from './harness/table.ts'
import { PROGRAM } from './lintel-command.ts'

const CONNECTIONS = 32
/** Of the load that is captured: slow enough that no packet is dropped. */
const RATE = 5000
const CAPTURE_SECONDS = 2
const DRAIN_MS = 500
/** 1 GB with the 8 seconds that a round has by default. */
const BYTES_PER_SECOND = 125e6
/** What the outputs may take beside the capture, of its size. */
const OUTPUT_SHARE_MAX = 3
const ROUNDS_MAX = 3

interface Reader {
  readonly name: string
  readonly writes: string
  /** Writes into the folder `out`. */
  command(capture: string, out: string): string[]
  exchanges(session: Session, out: string): Promise<number>
}

const TSHARK_FIELDS = [
  'frame.time_epoch', 'ip.src', 'tcp.srcport', 'ip.dst', 'tcp.dstport', 'http.request.method', 'http.request.uri', 'http.request.line',
  'http.response.code', 'http.response.line',
]

function lintelReplay(name: string, workers: number): Reader {
  return {
    name,
    writes: 'NDJSON, all headers, request and response in one record',
    command: (capture, out) => [PROGRAM, 'replay', capture, '--port', String(QUIET_PORT), '--workers', String(workers),
      '--output', `file:${out}/log.ndjson`],
    exchanges: async (session, out) => await countExchanges(session, out),
  }
}

const READERS: readonly Reader[] = [
  lintelReplay('lintel replay, 1 worker', 1),
  lintelReplay('lintel replay, 2 workers', 2),
  {
    name: 'tshark -T fields',
    writes: 'a line a message, all headers in one field',
    command: (capture, out) => ['sh', '-c', 'out="$1"; shift; exec "$@" > "$out/fields.tsv"', 'sh', out,
      'tshark', '-r', capture, '-n', '-d', `tcp.port==${QUIET_PORT},http`, '-Y', 'http', '-T', 'fields',
      ...TSHARK_FIELDS.flatMap((name) => ['-e', name])],
    exchanges: async (session, out) => await countLines(session, join(out, 'fields.tsv'), '\tGET\t'),
  },
]

interface Sample {
  readonly seconds: number
  readonly exchanges: number
  /** What the reader wrote. */
  readonly outputBytes: number
}

export const replay: Question = {
  name: 'replay',
  asks: 'speed of reading a capture file of 1 GB',
  minutes: 10,
  needs: () => ['nginx', 'h2load', 'tcpdump', 'tshark', 'zstd'],
  async measure(session, settings) {
    const bytes = settings.seconds * BYTES_PER_SECOND
    requireSpace(session.folder, bytes * (1 + OUTPUT_SHARE_MAX))
    const base = await captureLoad(session)
    const path = join(session.folder, 'copies.pcap')
    const copies = writeCopies(base.path, path, QUIET_PORT, bytes)
    settings.progress(`replay: a capture of ${(copies.bytes / 1e9).toFixed(2)} GB, ${copies.packets} packets`)
    const exchanges = base.exchanges * copies.copies
    const samples = new Map(READERS.map((reader) => [reader, [] as Sample[]]))
    const rounds = Math.min(settings.rounds, ROUNDS_MAX)
    await session.run(['sh', '-c', 'cat "$1" > /dev/null', 'sh', path]) // into the page cache, for both
    for (let round = 0; round < rounds; round++) {
      for (const reader of round % 2 === 0 ? READERS : READERS.toReversed()) {
        const sample = await read(session, reader, path)
        samples.get(reader)!.push(sample)
        settings.progress(`replay, round ${round + 1}/${rounds}, ${reader.name}: ${sample.seconds.toFixed(1)} s, `
          + `${(copies.packets / sample.seconds).toFixed(0)} packets/s, ${sample.exchanges} exchanges`)
      }
    }
    return [table({ ...settings, rounds }, copies, exchanges, samples)]
  },
}

function requireSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize >= bytes) return
  throw new Error(`Cannot measure replay: ${folder} has room for ${(bavail * bsize / 1e9).toFixed(1)} GB, it takes up to `
    + `${(bytes / 1e9).toFixed(1)} GB; lower --seconds or set TMPDIR`)
}

/** A capture of the standard load from before its first connection to after its last, without a gap. */
async function captureLoad(session: Session): Promise<{ path: string; exchanges: number }> {
  await using gateway = await Gateway.start(session, 'nginx.conf', [QUIET_PORT])
  const out = join(session.folder, 'tcpdump')
  const path = join(out, 'load.pcap')
  const tcpdump = await RunningTool.start(session, {
    name: 'tcpdump',
    command: () => ['tcpdump', '-i', 'lo', '-w', path, '-B', '65536', `tcp port ${QUIET_PORT}`],
  }, out)
  const before = await gateway.requests()
  const url = `http://127.0.0.1:${QUIET_PORT}${PATH}`
  await runH2load(session, { url, seconds: CAPTURE_SECONDS, connections: CONNECTIONS, folder: gateway.folder },
    { http1: true, streams: 1, timed: false, rate: RATE })
  await session.delay(DRAIN_MS)
  const exchanges = await gateway.requests() - before
  await tcpdump.stop()
  const said = readFileSync(join(out, 'stderr'), 'utf8')
  if (!said.includes('\n0 packets dropped by kernel')) throw new Error(`Cannot capture the load whole: ${said}`)
  return { path, exchanges }
}

async function read(session: Session, reader: Reader, capture: string): Promise<Sample> {
  const out = join(session.folder, 'out')
  await session.run(['mkdir', out])
  const start = performance.now()
  await session.run(reader.command(capture, out))
  const seconds = (performance.now() - start) / 1000
  const exchanges = await reader.exchanges(session, out)
  const outputBytes = readdirSync(out).reduce((sum, name) => sum + statSync(join(out, name)).size, 0)
  rmSync(out, { recursive: true })
  return { seconds, exchanges, outputBytes }
}

function table(
  { rounds }: Settings, copies: Copies, expected: number, samples: ReadonlyMap<Reader, readonly Sample[]>,
): Table {
  const secondsOf = (runs: readonly Sample[]): number => medianOf(runs.map(({ seconds }) => seconds))
  const tshark = secondsOf([...samples].at(-1)![1])
  const [oneWorker, twoWorkers] = [...samples.values()].map(secondsOf) as [number, number]
  const outputs = [...samples.values()].flat().map(({ outputBytes }) => outputBytes)
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`
  return {
    name: 'replay',
    title: 'Replay of a capture file',
    about: [
      `Capture: tcpdump of ${CAPTURE_SECONDS} s of h2load on lo, ${RATE} requests/s on ${CONNECTIONS} connections with nine request headers;`,
      `written ${copies.copies} times into one file, each time with another client address: ${gigabytes(copies.bytes)},`,
      `${copies.packets} packets, ${expected} exchanges.`,
      `Rounds: ${rounds}, in turn, every second one the other way round; the file is in the page cache. Time: from the start of the`,
      'process to its end. Both write to a file. "÷ tshark": of the medians. "Missing": exchanges that nginx counted, times the',
      'copies, and that the reader did not write, in the worst round. Medians, in brackets the least and the most.',
      `Two workers read ${(oneWorker / twoWorkers).toFixed(2)} times as fast as one, of the medians.`,
      `Disk: ${gigabytes(copies.bytes)} for the capture and up to ${gigabytes(Math.max(...outputs))} for what is written, deleted afterwards.`,
    ],
    columns: ['reader', 'writes', 'time', 'packets', 'exchanges', 'output', '÷ tshark', 'missing'],
    rows: [...samples].map(([reader, runs]): Cell[] => [
      reader.name, reader.writes,
      figure(runs.map(({ seconds }) => seconds), 's'),
      figure(runs.map(({ seconds }) => copies.packets / seconds), '/s'),
      figure(runs.map(({ seconds, exchanges }) => exchanges / seconds), '/s'),
      figure(runs.map(({ outputBytes }) => outputBytes / 1e6), 'MB'),
      figure([tshark / secondsOf(runs)], ''),
      showMissing(runs.map(({ exchanges }) => ({ logged: exchanges, counted: expected, inFlight: 0 }))),
    ]),
    plots: [
      { title: 'Packets per second from a capture file', column: 'packets' },
      { title: 'Exchanges per second from a capture file', column: 'exchanges' },
    ],
  }
}
