import type { RecordWriter } from '../../lib/record/mod.ts'
import * as B from '../../wasm/body-contract.ts'
import type { BodyFindings, Unread } from '../decode/mod.ts'
import { fieldId } from './fields.ts'
import type { MarkReason } from './fields.ts'

const F = {
  operation: fieldId('gen_ai.operation.name'),
  provider: fieldId('gen_ai.provider.name'),
  requestModel: fieldId('gen_ai.request.model'),
  responseModel: fieldId('gen_ai.response.model'),
  inputTokens: fieldId('gen_ai.usage.input_tokens'),
  outputTokens: fieldId('gen_ai.usage.output_tokens'),
  cacheRead: fieldId('gen_ai.usage.cache_read.input_tokens'),
  cacheWrite: fieldId('gen_ai.usage.cache_creation.input_tokens'),
  reasoning: fieldId('gen_ai.usage.reasoning.output_tokens'),
} as const

const REASONS: Readonly<Record<Unread, MarkReason>> = {
  missing: 'unknown: bytes are missing inside the message',
  'over bound': 'cut: more than the bound',
  coding: 'not read: compressed, or in a form, that is not known',
  damaged: 'not read: its compression is damaged',
  memory: 'memory limit reached',
}

/** What both bodies of an exchange say together, in OpenTelemetry's words; undefined = not known. */
export interface GenAiCall {
  readonly operation: string | undefined
  readonly provider: string | undefined
  readonly requestModel: string | Uint8Array | undefined
  readonly responseModel: Uint8Array | undefined
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
  readonly cacheRead: number | undefined
  readonly cacheWrite: number | undefined
  readonly reasoning: number | undefined
}

/** A call of a chat-completion API; undefined when neither a model nor a count is known, so that it may be none. */
export function genAiCall(request: BodyFindings | undefined, response: BodyFindings | undefined): GenAiCall | undefined {
  const requestModel = request?.model ?? request?.api?.model
  const responseModel = response?.model
  const usage = usageOf(response?.counts)
  const isKnown = [requestModel, responseModel, usage.inputTokens, usage.outputTokens].some((each) => each !== undefined)
  if (!isKnown) return undefined
  return { operation: request?.api?.operation, provider: request?.api?.provider, requestModel, responseModel, ...usage }
}

/** Input tokens have those of a cache among them, output tokens those of reasoning. */
function usageOf(counts: readonly number[] | undefined): Omit<GenAiCall, 'operation' | 'provider' | 'requestModel' | 'responseModel'> {
  const told = (at: number): number | undefined => {
    const count = counts?.[at] ?? -1
    return count < 0 ? undefined : count
  }
  const cacheRead = told(B.COUNT_CACHE_READ)
  const cacheWrite = told(B.COUNT_CACHE_WRITE)
  const input = told(B.COUNT_INPUT)
  const output = told(B.COUNT_OUTPUT)
  const thoughts = told(B.COUNT_THOUGHTS)
  return {
    inputTokens: told(B.COUNT_PROMPT) ?? (input === undefined ? undefined : input + (cacheRead ?? 0) + (cacheWrite ?? 0)),
    outputTokens: output === undefined && thoughts === undefined ? undefined : (output ?? 0) + (thoughts ?? 0),
    cacheRead: cacheRead ?? told(B.COUNT_CACHED),
    cacheWrite,
    reasoning: told(B.COUNT_REASONING) ?? thoughts,
  }
}

/** Writes the gen_ai.* fields: a facts block. What is not known is left out. */
export function writeGenAi(writer: RecordWriter, call: GenAiCall): void {
  const text = (field: number, value: string | Uint8Array | undefined): void => { if (value !== undefined) writer.string(field, value) }
  const count = (field: number, value: number | undefined): void => { if (value !== undefined) writer.int(field, value) }
  text(F.operation, call.operation)
  text(F.provider, call.provider)
  text(F.requestModel, call.requestModel)
  text(F.responseModel, call.responseModel)
  count(F.inputTokens, call.inputTokens)
  count(F.outputTokens, call.outputTokens)
  count(F.cacheRead, call.cacheRead)
  count(F.cacheWrite, call.cacheWrite)
  count(F.reasoning, call.reasoning)
}

type Gap = [field: number, reason: MarkReason]

/** Fields that are missing because a body was not read to its end, and why. */
export function genAiGaps(call: GenAiCall | undefined, request: BodyFindings | undefined, response: BodyFindings | undefined): Gap[] {
  const gaps: Gap[] = []
  if (request !== undefined && call?.requestModel === undefined) addGap(gaps, F.requestModel, request)
  if (response === undefined) return gaps
  if (call?.responseModel === undefined) addGap(gaps, F.responseModel, response)
  if (call?.outputTokens === undefined && response.unread !== undefined) gaps.push([F.outputTokens, REASONS[response.unread]])
  return gaps
}

function addGap(gaps: Gap[], field: number, { isModelLong, unread }: BodyFindings): void {
  const why = isModelLong ? 'over bound' : unread
  if (why !== undefined) gaps.push([field, REASONS[why]])
}
