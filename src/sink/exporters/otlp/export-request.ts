import { Output, varintBytes } from '../../../../lib/protobuf/mod.ts'
import type { SpooledRecord } from '../../spool/mod.ts'
import { writeLog } from './log-record.ts'
import { timeOf } from './record-clock.ts'
import { RecordReader } from './record-reader.ts'
import { madeIds } from './span-ids.ts'
import { isSpan, serviceOf, writeSpan } from './span-record.ts'

export interface RequestOptions {
  /** `service.name`; undefined = of logs SERVICE, of spans the name of the service whose they are, if the record says it. */
  readonly service: string | undefined
  /** Further attributes of the resource. */
  readonly resource: Readonly<Record<string, string>>
}

/** A message for the server, and how many logs or spans are in it. */
export interface ExportRequest {
  readonly body: Buffer
  readonly count: number
}

export interface Requests {
  readonly logs: ExportRequest
  readonly spans: ExportRequest
  /** Records that cannot be told as what is asked for, by index, with the reason. */
  readonly unfit: readonly { readonly index: number, readonly reason: string }[]
}

export const SERVICE = 'lintel'
/** Records grow by the paths of their names; more is asked for when it is needed. */
const GROWTH = 2
/** Tag and length of a log record or a span: both are the second field of their scope. */
const RECORD_TAG = 0x12
const LENGTH_BYTES_MAX = 6
const SCOPE = field(0x0a, field(0x0a, Buffer.from('lintel'))) // scope = 1, its name = 1

/** Makes ExportLogsServiceRequest and ExportTraceServiceRequest of records. */
export class RequestMaker {
  readonly #options: RequestOptions
  readonly #reader = new RecordReader()
  readonly #one = new Output(16_384)

  constructor(options: RequestOptions) {
    this.#options = options
  }

  /**
   * @param logs  which records are wanted as logs, by index
   * @param spans whether the exchanges among them are wanted as spans
   */
  make(records: readonly SpooledRecord[], logs: (index: number) => boolean, spans: boolean): Requests {
    const bytes = records.reduce((sum, { line }) => sum + line.length, 0)
    const now = BigInt(Date.now()) * 1_000_000n
    const logPart = new Part(this.#resource(this.#options.service ?? SERVICE), bytes * GROWTH)
    const spanParts = new Map<string, Part>()
    const unfit: { index: number, reason: string }[] = []
    for (const [index, record] of records.entries()) {
      if (!this.#reader.read(record.line)) {
        unfit.push({ index, reason: 'not a record of lintel' })
        continue
      }
      const made = spans && isSpan(this.#reader) ? madeIds(record.id) : undefined
      const time = timeOf(this.#reader)
      if (made !== undefined && time === undefined) {
        unfit.push({ index, reason: 'without a time, which a span must have: log the field "time", or send no traces' })
        continue
      }
      if (logs(index)) {
        this.#one.at = 0
        writeLog(this.#reader, { id: record.id, made, time, now }, this.#one)
        logPart.add(this.#one)
      }
      if (made === undefined || time === undefined) continue
      this.#one.at = 0
      writeSpan(this.#reader, made, time, this.#one)
      this.#partOf(spanParts, bytes).add(this.#one)
    }
    const parts = [...spanParts.values()]
    const bodies = parts.map(part => part.message())
    return {
      logs: { count: logPart.count, body: logPart.message() },
      spans: { count: parts.reduce((sum, { count }) => sum + count, 0), body: bodies.length === 1 ? bodies[0] as Buffer : Buffer.concat(bodies) },
      unfit,
    }
  }

  /** Where the span at hand belongs: with those of the same service. */
  #partOf(parts: Map<string, Part>, bytes: number): Part {
    const service = this.#options.service ?? serviceOf(this.#reader) ?? SERVICE
    const found = parts.get(service)
    if (found !== undefined) return found
    const part = new Part(this.#resource(service), parts.size === 0 ? bytes * GROWTH : 16_384)
    parts.set(service, part)
    return part
  }

  #resource(service: string): Buffer {
    const attributes = Object.entries({ ...this.#options.resource, 'service.name': service })
    return field(0x0a, Buffer.concat(attributes.map(([key, value]) => // resource = 1, its attributes = 1
      field(0x0a, Buffer.concat([field(0x0a, Buffer.from(key)), field(0x12, field(0x0a, Buffer.from(value)))])))))
  }
}

/** Log records or spans of one resource. */
class Part {
  readonly #out: Output
  readonly #resource: Buffer
  /** Room before the first, for what is known only at the end. */
  readonly #headBytes: number
  count = 0

  constructor(resource: Buffer, capacity: number) {
    this.#resource = resource
    this.#headBytes = resource.length + SCOPE.length + LENGTH_BYTES_MAX * 2
    this.#out = new Output(this.#headBytes + capacity)
    this.#out.at = this.#headBytes
  }

  add({ bytes, at }: Output): void {
    this.#out.reserve(at + LENGTH_BYTES_MAX)
    this.#out.byte(RECORD_TAG)
    this.#out.varint(at)
    this.#out.copy(bytes, 0, at)
    this.count++
  }

  /** The whole: resource_logs or resource_spans = 1, in it scope_logs or scope_spans = 2. Nothing is added then. */
  message(): Buffer {
    const all = this.#out.view
    const scopeBytes = SCOPE.length + all.length - this.#headBytes
    const resourceBytes = this.#resource.length + 1 + varintBytes(scopeBytes) + scopeBytes
    const head = new Output(this.#headBytes)
    head.byte(0x0a)
    head.varint(resourceBytes)
    head.copy(this.#resource, 0, this.#resource.length)
    head.byte(0x12)
    head.varint(scopeBytes)
    head.copy(SCOPE, 0, SCOPE.length)
    const start = this.#headBytes - head.at
    head.view.copy(all, start)
    return all.subarray(start)
  }
}

function field(tag: number, content: Buffer): Buffer {
  const out = new Output(content.length + LENGTH_BYTES_MAX)
  out.field(tag, content)
  return out.view
}
