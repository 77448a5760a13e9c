import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import * as B from '../../../wasm/body-contract.ts'
import { HEADER_CONTENT_ENCODING, HEADER_CONTENT_TYPE, HEADER_HOST } from '../../../wasm/header-ids.ts'
import * as L from '../../../wasm/layout.ts'
import { headValue, rawOf } from '../head-value.ts'
import { JsonBody, NO_COUNTS } from './body-reader.ts'
import type { BodyReader, JsonBodyOptions } from './body-reader.ts'
import { CodedBody, decoderOf, PLAIN_BYTES_MAX } from './coded-body.ts'
import { GEN_AI_PATHS, genAiApi } from './gen-ai-api.ts'
import type { GenAiApi } from './gen-ai-api.ts'

/** Bytes of a request's body that are read: the model stands in front of what is asked, as a rule. */
export const REQUEST_BYTES_MAX = 256 * 1024
/** Bytes of a response's body: the counts stand at its end, which may be some thousand events away. */
export const RESPONSE_BYTES_MAX = 32 << 20
/** What the rules may come to: those that the configuration allows fit. */
const RULES_BYTES_MAX = 256 * 1024

/** Headers that tell counts: what Bedrock answers with, whatever the model's own body looks like. */
const COUNT_HEADERS: ReadonlyMap<string, number> = new Map([
  ['x-amzn-bedrock-input-token-count', B.COUNT_INPUT],
  ['x-amzn-bedrock-output-token-count', B.COUNT_OUTPUT],
  ['x-amzn-bedrock-cache-read-input-token-count', B.COUNT_CACHE_READ],
  ['x-amzn-bedrock-cache-write-input-token-count', B.COUNT_CACHE_WRITE],
])

/** Requests whose bodies, and whose responses' bodies, are read (capture.body_fields); * stands for any characters. */
export interface BodyRule {
  readonly preset: 'gen_ai'
  /** None = any. */
  readonly hosts: readonly string[]
  /** None = those of the preset. */
  readonly paths: readonly string[]
}

/** What wasm/body-rules.ts exports. */
interface RuleExports {
  setBodyRules(pointer: number, length: number): void
  wantsBodies(head: number): number
  mayWantBodies(head: number): number
}

/** Chooses the exchanges whose bodies are read, and makes their readers. */
export class BodyFields {
  readonly #memory: ByteMemory
  readonly #rules: RuleExports
  #region = 0
  #isOn = false

  constructor(memory: ByteMemory) {
    this.#memory = memory
    this.#rules = memory.exports<RuleExports>()
  }

  /** Takes the place of the rules before. */
  choose(rules: readonly BodyRule[]): void {
    this.#isOn = rules.length > 0
    if (!this.#isOn) return this.#rules.setBodyRules(0, 0)
    const bytes = Buffer.concat(rules.map(ruleBytes))
    if (bytes.length > RULES_BYTES_MAX) throw new RangeError(`Cannot read bodies by rules of ${bytes.length} bytes: ${RULES_BYTES_MAX} is the bound`)
    if (this.#region === 0) this.#region = this.#memory.reserve(RULES_BYTES_MAX)
    this.#memory.write(this.#region, bytes)
    this.#rules.setBodyRules(this.#region, bytes.length)
  }

  /** Whether a request to the host of the one at `head` may be one of those. */
  mayWant(head: number): boolean {
    return this.#isOn && this.#rules.mayWantBodies(head) !== 0
  }

  /** Reader of the body of the request at `head`; undefined = neither its body nor its response's is read. */
  request(head: number): BodyReader | undefined {
    if (!this.#isOn || this.#rules.wantsBodies(head) === 0) return undefined
    return this.#reader(head, { api: this.#api(head), isEvents: false, bytesMax: REQUEST_BYTES_MAX })
  }

  /** Reader of the body of a response to such a request. */
  response(head: number): BodyReader {
    const isEvents = /^\s*text\/event-stream\b/i.test(headValue(this.#memory, head, HEADER_CONTENT_TYPE) ?? '')
    return this.#reader(head, { told: this.#told(head), isEvents, bytesMax: RESPONSE_BYTES_MAX })
  }

  #reader(head: number, options: Omit<JsonBodyOptions, 'memory'>): BodyReader {
    const type = headValue(this.#memory, head, HEADER_CONTENT_TYPE)
    const isText = type === undefined || /json|^\s*text\//i.test(type)
    const decode = isText ? decoderOf(headValue(this.#memory, head, HEADER_CONTENT_ENCODING)) : undefined
    if (decode === 'none') return new JsonBody({ ...options, memory: this.#memory })
    const plain = new JsonBody({ ...options, memory: this.#memory, bytesMax: PLAIN_BYTES_MAX })
    return new CodedBody(this.#memory, plain, decode)
  }

  /** A path that its sender wants nobody to index tells nothing. */
  #api(head: number): GenAiApi {
    const { u8 } = this.#memory
    const isSecret = (u8[head + L.HEAD_SECRET]! & L.PSEUDO_PATH) !== 0
    const target = /^(?:[a-z][a-z0-9+.-]*:\/\/([^/?#]*))?([^?#]*)/i.exec(this.#text(head, L.HEAD_TARGET))
    const authority = target?.[1] ?? (this.#text(head, L.HEAD_AUTHORITY) || headValue(this.#memory, head, HEADER_HOST)) ?? ''
    const host = authority.replace(/^.*@/, '').replace(/:\d*$/, '').toLowerCase()
    return genAiApi(host, isSecret ? '' : target?.[2] ?? '')
  }

  #text(head: number, part: number): string {
    const { u32 } = this.#memory
    const raw = rawOf(this.#memory, head)
    return this.#memory.latin1(raw + u32[(head + part) >>> 2]!, Math.min(u32[(head + part + 4) >>> 2]!, 2048))
  }

  /** Counts that the head of a response tells. */
  #told(head: number): readonly number[] {
    if (head === 0) return NO_COUNTS
    const { u16, u32 } = this.#memory
    const raw = rawOf(this.#memory, head)
    let counts: number[] | undefined
    for (let span = head + L.HEAD_SPANS; span < raw; span += L.SPAN_BYTES) {
      if (u16[(span + L.SPAN_NAME_ID) >>> 1] !== 0) continue
      const name = this.#memory.latin1(raw + u32[(span + L.SPAN_NAME) >>> 2]!, Math.min(u16[(span + L.SPAN_NAME_LENGTH) >>> 1]!, 64))
      const count = COUNT_HEADERS.get(name.toLowerCase())
      if (count === undefined) continue
      const value = this.#memory.latin1(raw + u32[(span + L.SPAN_VALUE) >>> 2]!, Math.min(u32[(span + L.SPAN_VALUE_LENGTH) >>> 2]!, 32))
      if (/^\d{1,15}$/.test(value)) (counts ??= [...NO_COUNTS])[count] = Number(value)
    }
    return counts ?? NO_COUNTS
  }
}

/** As wasm/body-rules.ts reads it. */
function ruleBytes({ hosts, paths }: BodyRule): Buffer {
  const chosen = paths.length === 0 ? GEN_AI_PATHS : paths
  const counts = Buffer.alloc(4)
  counts.writeUInt16LE(hosts.length, 0)
  counts.writeUInt16LE(chosen.length, 2)
  const texts = [...hosts.map((host) => host.toLowerCase()), ...chosen].flatMap((text) => {
    const bytes = Buffer.from(text, 'latin1')
    const length = Buffer.alloc(2)
    length.writeUInt16LE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat([counts, ...texts])
}
