import { timeMs } from '../delivery/mod.ts'
import type { SpooledRecord } from '../spool/mod.ts'
import type { KafkaMessage } from './kafka-producer.ts'
import { kindOf } from './message-text.ts'
import { memberPath, memberValue } from './record-member.ts'
import { murmur2 } from './murmur2.ts'

const [ID, KIND, HOST] = [Buffer.from('id'), Buffer.from('kind'), Buffer.from('host.name')]
const [HEAD, BEHIND, CLOSE] = ['{"id":"', '",', 0x7d]
/** Kafka's own bytes for a record: lengths, offset, headers but for the host's name. */
const FRAME_BYTES = 95

export interface MessageOptions {
  readonly topic: string
  /** Field whose value is the key, or `none`. */
  readonly key: string
  readonly timestamp: 'sent' | 'record'
  /** Of the agent, for those who read records of many. */
  readonly hostName: string
}

/** Records as messages: the record with its id in front (as `taggedLine` makes it), headers `id`, `kind` and `host.name`, a key if one is wanted. */
export class MessageMaker {
  readonly #options: MessageOptions
  readonly #keyPath: readonly Buffer[] | undefined
  readonly #host: Buffer
  readonly #kinds = new Map<string, Buffer>()
  /** Requests so far: records without a key go to one partition a request, to all in turns. */
  #turn = 0

  constructor(options: MessageOptions) {
    this.#options = options
    this.#host = Buffer.from(options.hostName)
    this.#keyPath = options.key === 'none' ? undefined : memberPath(options.key)
  }

  /** Messages for one request; all stand in one buffer. `partition` may be any number: the topic's count of partitions is taken from it. */
  messages(records: readonly SpooledRecord[]): KafkaMessage[] {
    const turn = this.#turn++
    const now = BigInt(Date.now())
    const bytes = Buffer.allocUnsafe(records.reduce((sum, { id, line }) => sum + HEAD.length + id.length + BEHIND.length + line.length, 0))
    let at = 0
    return records.map(record => {
      const start = at
      const idAt = at += bytes.write(HEAD, at, 'latin1')
      const idEnd = at += bytes.write(record.id, at, 'latin1')
      at += bytes.write(BEHIND, at, 'latin1')
      if (record.line[1] === CLOSE) at-- // an empty record: nothing to stand behind a comma
      at += record.line.copy(bytes, at, 1)
      const key = this.#keyPath === undefined ? undefined : memberValue(record.line, this.#keyPath)
      const headers = new Map([[ID, bytes.subarray(idAt, idEnd)], [KIND, this.#kind(record)], [HOST, this.#host]])
      return {
        topic: this.#options.topic, key, value: bytes.subarray(start, at), headers, timestamp: this.#timestamp(record, now),
        partition: key === undefined ? turn : murmur2(key) & 0x7fffffff, // as Kafka's Java client does it
      }
    })
  }

  /** Places of the records in `records`, in order, each part with at most so many bytes; a record that is longer is alone. */
  chunks(records: readonly SpooledRecord[], bytesMax: number): number[][] {
    const chunks: number[][] = []
    let room = 0
    for (const [index, { line }] of records.entries()) {
      const bytes = line.length + FRAME_BYTES + this.#host.length
      const last = chunks.at(-1)
      if (last === undefined || bytes > room) {
        chunks.push([index])
        room = bytesMax - bytes
      } else {
        last.push(index)
        room -= bytes
      }
    }
    return chunks
  }

  #timestamp({ line }: SpooledRecord, now: bigint): bigint {
    const ms = this.#options.timestamp === 'record' ? timeMs(line) : undefined
    return ms === undefined ? now : BigInt(Math.floor(ms))
  }

  #kind({ line }: SpooledRecord): Buffer {
    const name = kindOf(line) ?? ''
    let bytes = this.#kinds.get(name)
    if (bytes === undefined) this.#kinds.set(name, bytes = Buffer.from(name)) // bounded: there are six kinds
    return bytes
  }
}
