/**
 * A connection table, its decoder and its pairs, on one path or on both (src/connection/steady-path.ts), with everything that comes
 * out of them written down.
 *
 * @module
 */
import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { FactsTable, FieldTable, RecordWriter } from '../../../lib/record/mod.ts'
import { ConnectionTable } from '../../../src/connection/mod.ts'
import type { Connection, ConnectionLimits } from '../../../src/connection/mod.ts'
import { Http1Protocol } from '../../../src/decode/http1/mod.ts'
import type { BodyFields } from '../../../src/decode/mod.ts'
import { FIELDS, MARK_REASONS, Pairer } from '../../../src/exchange/mod.ts'
import * as L from '../../../wasm/layout.ts'
import { Random } from './damage.ts'
import { describeExchange } from './describe-exchange.ts'

/** What every path of one memory needs once. */
export class PathParts {
  readonly memory: ByteMemory
  readonly protocol: Http1Protocol
  readonly facts: FactsTable

  constructor(memory: ByteMemory, bodies?: BodyFields) {
    this.memory = memory
    this.protocol = new Http1Protocol(memory, undefined, undefined, bodies)
    const writer = new RecordWriter(memory, new FieldTable(memory, FIELDS, MARK_REASONS))
    this.facts = new FactsTable({ memory, writer, protect: (raw) => raw, countMax: 16 })
  }
}

export interface PathOptions {
  readonly isSteady: boolean
  /** After every so many calls, by chance, all connections sleep that are at rest; default never. */
  readonly sleepsOneIn?: number
  readonly limits?: Partial<ConnectionLimits>
  /** Takes every exchange; without it they are written to the log, byte for byte. */
  readonly exchange?: (block: number) => void
}

export class PathLog {
  readonly log: string[] = []
  readonly table: ConnectionTable
  /** Exchanges that went by on the steady path. */
  turns = 0
  dropped = 0
  readonly #pairer: Pairer
  readonly #sleepsOneIn: number
  readonly #random = new Random(3)

  constructor({ memory, protocol, facts }: PathParts, { isSteady, limits = {}, exchange: take, sleepsOneIn = 0 }: PathOptions) {
    this.#sleepsOneIn = sleepsOneIn
    const exchange = take ?? ((block: number): void => { this.log.push(describeExchange(memory, block)) })
    this.#pairer = new Pairer(memory, {
      exchange,
      dropped: () => { this.dropped++ },
      anomaly: (_connection, side, name, time) => { this.log.push(`${name} ${side} ${time}`) },
      webSocket: () => {},
    }, { seesBothDirections: true, facts })
    const turn = (block: number): void => {
      this.turns++
      exchange(block)
    }
    const told = (what: string) => (connection: Connection, ...more: unknown[]): void => {
      const block = Buffer.from(memory.read(connection.block, L.CONNECTION_BYTES)).toString('hex')
      this.log.push(`${what} ${block} ${connection.packets} ${this.#pairer.exchangesOf(connection)} ${more.join(' ')}`)
    }
    const source = {
      skip: (...words: number[]) => { this.log.push(`skip ${words.join(' ')}`) },
      ignore: (tag: number) => { this.log.push(`ignore ${tag}`) },
    }
    this.table = new ConnectionTable(memory, source, (connection) => protocol.open(connection, this.#pairer), limits,
      { opened: told('opened'), closed: told('closed'), ...(isSteady ? { turn } : {}) })
  }

  process(pointer: number, length: number): void {
    this.table.process(pointer, length)
    if (this.#sleepsOneIn > 0 && this.#random.below(this.#sleepsOneIn) === 0) this.table.restQueue.sleepAll()
    this.tick(this.table.time)
  }

  tick(time: number): void {
    this.table.tick(time)
    this.#pairer.tick(time)
  }

  /** What was written since, and the counters; the log is empty then. */
  take(): string[] {
    return [...this.log.splice(0), JSON.stringify([...this.table.counters.toMap()]), `time ${this.table.time}, ${this.table.size} connections`]
  }
}
