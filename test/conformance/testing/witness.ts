/**
 * Who else has read a capture, and what they say.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { differences } from './compare.ts'
import { CORPORA } from './corpora.ts'
import type { TruthRow } from './corpora.ts'
import { conversationOf } from './observation.ts'
import type { Conversation, Observation } from './observation.ts'
import { INSIDE_TLS, tsharkObservation } from './tshark-observation.ts'
import type { Exclusions, TsharkFrame } from './tshark-observation.ts'
import { NO_ENDPOINTS, zeekDecoded, zeekObservation } from './zeek-observation.ts'
import type { ZeekLog } from './zeek-observation.ts'

export interface Witness {
  /** `tshark`, `tshark counts`, `zeek` with the name of its test, `packetbeat`. */
  readonly name: string
  /** What differs between it and another observation; none = the same. */
  readonly against: (other: Observation) => string[]
  /** What it says in full, for the other witnesses to be held against; undefined when it says less. */
  readonly observation: Observation | undefined
}

interface BtestRow {
  readonly test: string
  readonly traces: readonly string[]
  readonly commands: readonly string[]
  readonly expected: readonly string[]
}

interface PacketbeatRow {
  readonly pcap: string
  readonly transactions?: number
  readonly tls?: boolean
  readonly ports?: readonly number[]
  readonly client_port?: number
  readonly server_port?: number
  readonly status_code?: number
  readonly method?: string
}

export class Witnesses {
  /** Messages that were left out, by rule. */
  readonly excluded: Exclusions = new Map()
  readonly #btests: Map<string, BtestRow[]>
  readonly #packetbeat: Map<string, PacketbeatRow[]>

  constructor() {
    const btests = JSON.parse(readFileSync(`${CORPORA}/zeek-btest/MAP.json`, 'utf8')) as BtestRow[]
    const usable = btests.filter((row) => row.traces.length === 1 && row.expected.some(isHttpLog))
    this.#btests = Map.groupBy(usable, (row) => `zeek-btest/traces/${row.traces[0]}`)
    const packetbeat = JSON.parse(readFileSync(`${CORPORA}/packetbeat/EXPECTED.json`, 'utf8')) as PacketbeatRow[]
    this.#packetbeat = Map.groupBy(packetbeat.filter((row) => row.tls !== true), (row) => `packetbeat/pcaps/${row.pcap}`)
  }

  of(row: TruthRow, ours: Observation): Witness[] {
    const tls = new Set<string>()
    const tshark = this.#tshark(row, ours, tls)
    const zeek = (this.#btests.get(row.file) ?? []).flatMap((test) => this.#zeek(test, tls))
    const packetbeat = (this.#packetbeat.get(row.file) ?? []).flatMap((expected) => packetbeatWitness(expected))
    return [tshark, ...zeek, ...packetbeat]
  }

  #exclude(rule: string, count: number): void {
    this.excluded.set(rule, (this.excluded.get(rule) ?? 0) + count)
  }

  #zeek(test: BtestRow, tls: ReadonlySet<string>): Witness[] {
    const log = zeekObservation(readFileSync(`${CORPORA}/zeek-btest/${test.expected.find(isHttpLog)!}`, 'utf8'))
    if (log === undefined) return []
    const { observation } = log
    for (const [key, { requests, responses }] of observation) {
      if (!tls.has(key)) continue
      observation.delete(key)
      this.#exclude(INSIDE_TLS, requests.length + responses.length)
    }
    return [{ name: `zeek ${test.test}`, observation: undefined, against: (other) => zeekDifferences(log, other) }]
  }

  /** @param tls gets the conversations that are TLS from their start */
  #tshark(row: TruthRow, ours: Observation, tls: Set<string>): Witness {
    const frames = tsharkFrames(row.file)
    if (frames === undefined) return countsWitness(row)
    const { observation, excluded, tls: keys } = tsharkObservation(frames, (key) => ours.has(key))
    for (const [rule, count] of excluded) this.#exclude(rule, count)
    for (const key of keys) if (!observation.has(key)) tls.add(key)
    return { name: 'tshark', observation, against: (other) => differences(other, observation) }
  }
}

function isHttpLog(path: string): boolean {
  return path.endsWith('/http.log')
}

function tsharkFrames(file: string): TsharkFrame[] | undefined {
  const path = `${CORPORA}/expected/tshark/${file}.json`
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as TsharkFrame[]
  if (existsSync(`${path}.gz`)) return JSON.parse(gunzipSync(readFileSync(`${path}.gz`)).toString('utf8')) as TsharkFrame[]
  return undefined
}

/** Where tshark's fields were not kept, its counts were. */
function countsWitness(row: TruthRow): Witness {
  const against = (other: Observation): string[] => {
    const { requests, responses } = flat(other)
    return [
      ...countDifference('methods', tally(requests.map(({ method }) => method)), row.methods),
      ...countDifference('status codes', tally(responses.map(({ status }) => String(status))), row.status_codes),
    ]
  }
  return { name: 'tshark counts', observation: undefined, against }
}

function countDifference(what: string, ours: Readonly<Record<string, number>>, theirs: Readonly<Record<string, number>>): string[] {
  const show = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts).sort().map(([name, count]) => `${name} ${count}`).join(', ') || 'none'
  return show(ours) === show(theirs) ? [] : [`${what}: ours ${show(ours)}; the witness's ${show(theirs)}`]
}

function tally(names: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]))
}

function zeekDifferences({ observation, saysResponses }: ZeekLog, other: Observation): string[] {
  const hasEndpoints = !observation.has(NO_ENDPOINTS)
  const mine = hasEndpoints ? other : new Map([[NO_ENDPOINTS, flat(other)]])
  return differences(mine, observation, { target: zeekDecoded, responses: saysResponses })
}

function flat(observation: Observation): Conversation {
  const all: Observation = new Map()
  const target = conversationOf(all, NO_ENDPOINTS)
  for (const { requests, responses } of observation.values()) {
    target.requests.push(...requests.map((request) => ({ ...request, answer: request.answer < 0 ? request.answer : request.answer + target.responses.length })))
    target.responses.push(...responses)
  }
  return target
}

/** Transactions: a request with its response, or either alone. */
function packetbeatWitness(expected: PacketbeatRow): Witness[] {
  const { transactions, method, status_code: status } = expected
  if (transactions === undefined) return []
  const against = (other: Observation): string[] => {
    const watched = [...other].filter(([key]) => isWatched(key, expected))
    const { requests, responses } = flat(new Map(watched))
    const unasked = responses.length - requests.filter(({ answer }) => answer >= 0).length
    const count = requests.length + unasked
    return [
      ...(count === transactions ? [] : [`transactions: ours ${count}, the witness's ${transactions}`]),
      ...(method === undefined || requests.every((request) => request.method === method) ? [] : [`method: not ${method}`]),
      ...(status === undefined || responses.every((response) => response.status === status) ? [] : [`status: not ${status}`]),
    ]
  }
  return [{ name: 'packetbeat', observation: undefined, against }]
}

/** Its tests name the ports that it was told to watch, or those of the one connection that they look at. */
function isWatched(key: string, { ports, client_port: client, server_port: server }: PacketbeatRow): boolean {
  const [from, to] = key.split('>').map((end) => Number(end.slice(end.lastIndexOf(':') + 1)))
  return (ports?.includes(to!) ?? true) && (client ?? from) === from && (server ?? to) === to
}
