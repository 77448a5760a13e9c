/**
 * What does an exchange take on the disk, in each of the forms in which the same traffic can be kept?
 *
 * @module
 */
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { listStore } from '../src/sink/store/mod.ts'
import { COLLECTOR_PORT, QUIET_PORT, chosenTools } from './field.ts'
import { figure } from './harness/figure.ts'
import type { Cell } from './harness/figure.ts'
import { Gateway } from './harness/gateway.ts'
import { runWrk } from './harness/generator.ts'
import { countExchanges, countLines, logFiles } from './harness/kept.ts'
import type { Question, Settings } from './harness/question.ts'
import { RunningTool } from './harness/running-tool.ts'
import type { ToolCommand } from './harness/running-tool.ts'
import type { Session } from './harness/session.ts'
import type { Table } from './harness/table.ts'
import { lintelCommand, PROGRAM, STORE } from './lintel-command.ts'

const CONNECTIONS = 32
const EXCHANGES_PER_CONNECTION = 100
/** Of the gateway's answer. */
const BODY_BYTES = 170
const DRAIN_MS = 1000
const PACKED_MS_MAX = 60_000
/** Small enough that some files are rotated and packed in a short round. */
const ROTATE_BYTES = 4 << 20
/** Sizes hardly differ from round to round. */
const ROUNDS_MAX = 3

const TCPDUMP: ToolCommand = {
  name: 'tcpdump',
  command: (out) => ['tcpdump', '-i', 'lo', '-w', join(out, 'packets.pcap'), '-B', '65536', `tcp port ${QUIET_PORT}`],
}

const NFCAPD: ToolCommand = {
  name: 'nfcapd',
  command: (out) => {
    mkdirSync(join(out, 'flows'))
    return ['nfcapd', '-w', join(out, 'flows'), '-b', '127.0.0.1', '-p', String(COLLECTOR_PORT), '-t', '3600']
  },
}

interface Form {
  readonly name: string
  readonly holds: string
}

const FORMS = {
  ndjson: { name: 'Lintel: NDJSON', holds: 'all headers of both sides, times, processes' },
  ndjsonZstd: { name: 'Lintel: NDJSON, rotated and packed', holds: 'the same, zstd level 1' },
  parquet: { name: 'Lintel: Parquet of a store', holds: 'the same as columns, zstd level 1' },
  pcap: { name: 'tcpdump: pcap', holds: 'every packet whole, bodies too' },
  pcapZstd: { name: 'tcpdump: pcap, packed', holds: 'the same, zstd level 1' },
  accessLog: { name: 'nginx: access_log', holds: 'one line, 3 headers' },
  flows: { name: 'softflowd, nfcapd: flow records', holds: 'addresses, times and sums of a connection, no header' },
} as const satisfies Record<string, Form>

type FormKey = keyof typeof FORMS

interface Stored {
  /** Bytes per exchange. */
  readonly bytes: number
  /** Percent. */
  readonly kept: number
}

type Round = Record<FormKey, Stored>

export const stored: Question = {
  name: 'stored',
  asks: 'bytes on the disk per exchange, in each form',
  minutes: 2,
  needs: () => ['nginx', 'wrk', 'zstd', 'tcpdump', 'softflowd', 'nfcapd', 'nfdump'],
  async measure(session, settings) {
    await using gateway = await Gateway.start(session, 'stored.conf', [QUIET_PORT])
    const rounds: Round[] = []
    const count = Math.min(settings.rounds, ROUNDS_MAX)
    for (let round = 0; round < count; round++) {
      rounds.push(await measureRound(session, gateway, settings))
      settings.progress(`stored, round ${round + 1}/${count}: ${(Object.keys(FORMS) as FormKey[])
        .map((key) => `${key} ${rounds.at(-1)![key].bytes.toFixed(1)} B`).join(', ')}`)
    }
    return [table({ ...settings, rounds: count }, rounds)]
  },
}

/** All tools watch the same load at once. */
async function measureRound(session: Session, gateway: Gateway, { seconds }: Settings): Promise<Round> {
  const folder = (name: string): string => join(session.folder, name)
  const [lintelOut, pcapOut, flowOut, nfcapdOut] = [folder('lintel'), folder('tcpdump'), folder('softflowd'), folder('nfcapd')]
  const softflowd = chosenTools(['softflowd'])[0]!
  const nfcapd = await RunningTool.start(session, NFCAPD, nfcapdOut)
  const flows = await RunningTool.start(session, softflowd.process!, flowOut)
  const tcpdump = await RunningTool.start(session, TCPDUMP, pcapOut)
  const agent = lintelCommand(QUIET_PORT, { config: { rotate: { bytes: ROTATE_BYTES }, hasStore: true } })
  const lintel = await RunningTool.start(session, agent, lintelOut)
  const accessLog = join(gateway.folder, 'access.log')
  truncateSync(accessLog)
  const before = await gateway.requests()
  const url = `http://127.0.0.1:${QUIET_PORT}/`
  const load = await runWrk(session, { url, seconds, connections: CONNECTIONS, folder: gateway.folder }, 'varied.lua')
  if (load.failed > 0) throw new Error(`Cannot measure: ${load.failed} of ${load.requests} requests failed`)
  await session.delay(DRAIN_MS)
  const requests = await gateway.requests() - before
  await untilPacked(session, lintelOut)
  await softflowd.beforeStop!(session, flowOut)
  await session.run(['softflowctl', '-c', join(flowOut, 'control'), 'expire-all'])
  await session.delay(DRAIN_MS)
  for (const tool of [lintel, tcpdump, flows, nfcapd]) await tool.stop()
  const flowShare = await softflowd.kept(session, flowOut, gateway.folder)
  const result: Round = {
    ...await lintelStored(session, lintelOut, requests),
    parquet: await parquetStored(session, join(lintelOut, STORE), requests),
    ...await pcapStored(session, pcapOut, requests),
    accessLog: { bytes: statSync(accessLog).size / requests, kept: 100 * await countLines(session, accessLog, '^') / requests },
    flows: {
      bytes: await flowBytes(session, join(nfcapdOut, 'flows')) / requests,
      kept: 100 * ('packetShare' in flowShare ? flowShare.packetShare : Number.NaN),
    },
  }
  for (const out of [lintelOut, pcapOut, flowOut, nfcapdOut]) rmSync(out, { recursive: true })
  return result
}

/** Lintel packs in the background, one file after the other. */
async function untilPacked(session: Session, out: string): Promise<void> {
  const isPacked = (): boolean => {
    const rotated = readdirSync(out).filter((name) => name.startsWith('log-'))
    return rotated.length > 0 && rotated.every((name) => name.endsWith('.zst'))
  }
  for (let waited = 0; !isPacked(); waited += 100) {
    if (waited > PACKED_MS_MAX) throw new Error(`Cannot measure: Lintel packed no log within ${PACKED_MS_MAX / 1000} s; raise --seconds`)
    await session.delay(100)
  }
}

async function lintelStored(session: Session, out: string, requests: number): Promise<Pick<Round, 'ndjson' | 'ndjsonZstd'>> {
  const exchanges = await countExchanges(session, out)
  const kept = 100 * exchanges / requests
  let plain = 0
  const packed = { bytes: 0, exchanges: 0 }
  for (const name of logFiles(out)) {
    const path = join(out, name)
    if (!name.endsWith('.zst')) {
      plain += statSync(path).size
      continue
    }
    plain += Number(await session.run(['sh', '-c', 'zstd -dcq -- "$1" | wc -c', 'sh', path]))
    packed.bytes += statSync(path).size
    packed.exchanges += await countLines(session, path, '^{"kind":"exchange"')
  }
  return { ndjson: { bytes: plain / exchanges, kept }, ndjsonZstd: { bytes: packed.bytes / packed.exchanges, kept } }
}

/** Of a store whose agent has ended: its segments, without the roll-ups that are made of them. */
async function parquetStored(session: Session, store: string, requests: number): Promise<Stored> {
  const { journals, segments } = listStore(store)
  if (journals.some(({ path }) => statSync(path).size > 0)) throw new Error(`Cannot measure: "${store}" has journals that became no segments`)
  const line = await session.run([PROGRAM, 'query', '--store', store, '--format', 'ndjson', 'SELECT count(*) AS n FROM exchanges'])
  const exchanges = Number(JSON.parse(line).n)
  return { bytes: segments.reduce((sum, { path }) => sum + statSync(path).size, 0) / exchanges, kept: 100 * exchanges / requests }
}

async function pcapStored(session: Session, out: string, requests: number): Promise<Pick<Round, 'pcap' | 'pcapZstd'>> {
  const path = join(out, 'packets.pcap')
  const said = await session.run(['cat', join(out, 'stderr')])
  const number = (pattern: RegExp): number => Number(pattern.exec(said)?.[1] ?? Number.NaN)
  const captured = number(/(\d+) packets captured/)
  const kept = 100 * captured / (captured + number(/(\d+) packets dropped by kernel/))
  await session.run(['zstd', '-1', '-q', path])
  return {
    pcap: { bytes: statSync(path).size / requests, kept },
    pcapZstd: { bytes: statSync(`${path}.zst`).size / requests, kept },
  }
}

/** Of nfcapd's files, if they hold flows. */
async function flowBytes(session: Session, folder: string): Promise<number> {
  const files = readdirSync(folder).filter((name) => /^nfcapd\.\d+$/.test(name)).map((name) => join(folder, name))
  const flows = await Promise.all(files.map(async (file) => /^Flows: (\d+)/m.exec(await session.run(['nfdump', '-I', '-r', file]))?.[1]))
  if (!flows.some((count) => Number(count) > 0)) throw new Error(`Cannot measure flow records: nfcapd wrote none in ${files.length} files`)
  return files.reduce((sum, file) => sum + statSync(file).size, 0)
}

function table({ rounds, seconds }: Settings, all: readonly Round[]): Table {
  const row = (key: FormKey): Cell[] => [
    FORMS[key].name, FORMS[key].holds,
    figure(all.map((round) => round[key].bytes), 'B'),
    figure(all.map((round) => round[key].bytes / round.ndjsonZstd.bytes), ''),
    figure(all.map((round) => round[key].kept), '%'),
  ]
  return {
    name: 'stored',
    title: 'Bytes on the disk per exchange',
    about: [
      `Load: wrk with one thread and ${CONNECTIONS} connections on lo, each resting 5 ms between two requests: nine request headers, of`,
      `which path, request id, trace and token differ; the answers have ${BODY_BYTES} bytes. nginx closes a connection after`,
      `${EXCHANGES_PER_CONNECTION} exchanges. All tools watch the same load at once; ${rounds} rounds of ${seconds} s.`,
      'Figures are medians, in brackets the least and the most: bytes of the files ÷ exchanges in them.',
      'What bodies add, only pcap pays; what a connection adds, flow records pay: longer connections make theirs smaller.',
      'In the NDJSON secrets are hidden, so tokens do not count in it.',
      `Lintel rotates at ${ROTATE_BYTES >> 20} MiB here and packs as always.`,
      '"Kept": exchanges ÷ requests that nginx counted; of pcap and flows, packets not dropped ÷ all packets.',
      'Parquet: the segments of a store, a second output of the same agent; what roll-ups add stands in the table of the store.',
    ],
    columns: ['stored as', 'holds', 'bytes per exchange', '÷ NDJSON packed', 'kept'],
    rows: (Object.keys(FORMS) as FormKey[]).map(row),
    plots: [{ title: 'Bytes on the disk per exchange', column: 'bytes per exchange' }],
  }
}
