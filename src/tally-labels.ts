import type { ByteMemory } from '../lib/bytes/mod.ts'
import type { Labels } from '../lib/prometheus/mod.ts'
import { FieldTable, RecordView, RecordWriter } from '../lib/record/mod.ts'
import * as L from '../wasm/layout.ts'
import { readTallyKey } from './capture/mod.ts'
import type { TallyLabel } from './capture/mod.ts'
import { fieldId, FIELDS, MARK_REASONS } from './exchange/mod.ts'
import { prometheusName } from './sink/requests/request-labels.ts'
import type { Wall } from './privacy/wall.ts' // not mod.ts: see pipeline.ts

const CLIENT = fieldId('client.address')
const HEADER = fieldId('http.request.header')
const RECORD_BYTES = 4096

/**
 * The labels of a tally's key. What comes from traffic goes through the wall as in a record: the client as client.address, the host
 * under the rules for the header Host. What a rule drops is no label.
 */
export class TallyLabels {
  readonly #memory: ByteMemory
  readonly #wall: Wall
  readonly #wanted: ReadonlySet<TallyLabel>
  readonly #writer: RecordWriter
  readonly #view: RecordView
  readonly #raw: number

  constructor(memory: ByteMemory, wall: Wall, wanted: readonly TallyLabel[]) {
    const table = new FieldTable(memory, FIELDS, MARK_REASONS)
    this.#memory = memory
    this.#wall = wall
    this.#wanted = new Set(wanted)
    this.#writer = new RecordWriter(memory, table)
    this.#view = new RecordView(memory, table)
    this.#raw = this.#memory.reserve(RECORD_BYTES)
  }

  /** As Prometheus has them, of the labels that are wanted. */
  get names(): readonly string[] {
    return [...this.#wanted].map(prometheusName).sort()
  }

  /** In the order of their names; those without a value are left out. @param bytes struct tally_key */
  of(bytes: Uint8Array): Labels {
    const key = readTallyKey(bytes)
    const { client, host } = this.#protected(key)
    const values: readonly (readonly [TallyLabel, string | undefined])[] = [
      ['client.address', client],
      ['http.request.method', key.method],
      ['http.response.status_class', key.statusClass],
      ['url.domain', key.hostIs ?? host],
      ['user_agent.class', key.agentClass],
    ]
    return values.flatMap(([name, value]) =>
      !this.#wanted.has(name) || value === undefined || value === '' ? [] : [[prometheusName(name), value] as const])
  }

  #protected({ client, host }: ReturnType<typeof readTallyKey>): { client: string | undefined, host: string | undefined } {
    this.#writer.begin(L.KIND_EXCHANGE, this.#raw, RECORD_BYTES)
    if (client !== undefined) this.#writer.address(CLIENT, client.version, client.bytes)
    if (host !== undefined) this.#writer.headers(HEADER, [{ name: 'host', value: host }])
    const record = this.#wall.record({ pointer: this.#raw, length: this.#writer.end() })
    if (record.length === 0) return { client: undefined, host: undefined }
    this.#view.at(record.pointer)
    const headers = this.#view.get(HEADER) as Map<string, string[]> | undefined
    return { client: this.#view.get(CLIENT) as string | undefined, host: headers?.get('host')?.[0] }
  }
}
