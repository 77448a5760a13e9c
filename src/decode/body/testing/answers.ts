/** Bodies as the APIs send them, and what is to be found in them. */
import { COUNT_CACHE_READ, COUNT_CACHE_WRITE, COUNT_CACHED, COUNT_COUNT, COUNT_INPUT, COUNT_OUTPUT, COUNT_PROMPT, COUNT_REASONING, COUNT_THOUGHTS } from '../../../../wasm/body-contract.ts'

/** A text that must never come out, wherever bodies are read. */
export const SECRET = 'planted-secret-7f3a91c2'

export interface Answer {
  readonly name: string
  readonly path: string
  readonly request: string
  readonly response: string
  readonly isEvents: boolean
  readonly requestModel: string | undefined
  readonly model: string | undefined
  readonly counts: readonly number[]
}

/** Counts by COUNT_*, those not given -1. */
export function counts(given: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: COUNT_COUNT }, (_, at) => given[at] ?? -1)
}

function events(...data: readonly (object | string)[]): string {
  return data.map((each) => {
    const text = typeof each === 'string' ? each : JSON.stringify(each)
    const type = typeof each === 'object' && 'type' in each ? `event: ${String(each.type)}\n` : ''
    return `${type}data: ${text}\n\n`
  }).join('')
}

const messages = [{ role: 'user', content: `say "usage":{"prompt_tokens":1} \\ ${SECRET} {[}] é\u2028`, model: 'not-this' }]
const openAiUsage = {
  prompt_tokens: 1117, completion_tokens: 46, total_tokens: 1163, prompt_tokens_details: { cached_tokens: 1024, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 12, accepted_prediction_tokens: 0 },
}
const openAiCounts = counts({ [COUNT_PROMPT]: 1117, [COUNT_OUTPUT]: 46, [COUNT_CACHED]: 1024, [COUNT_REASONING]: 12 })
const chunk = (more: object): object => ({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'gpt-4o-2024-08-06', ...more })
const completed = {
  id: 'resp_1', model: 'gpt-4.1-2025-04-14', output: [{ type: 'message', content: [{ type: 'output_text', text: SECRET, model: 'x' }] }],
  usage: { input_tokens: 36, input_tokens_details: { cached_tokens: 5 }, output_tokens: 87, output_tokens_details: { reasoning_tokens: 3 } },
}
const anthropicUsage = { input_tokens: 25, cache_creation_input_tokens: 7, cache_read_input_tokens: 100 }

export const ANSWERS: readonly Answer[] = [
  {
    name: 'OpenAI chat', path: '/v1/chat/completions', isEvents: false,
    request: JSON.stringify({ messages, model: 'gpt-4o', temperature: 0.5 }), requestModel: 'gpt-4o',
    response: JSON.stringify({ id: 'chatcmpl-1', model: 'gpt-4o-2024-08-06', choices: [{ message: messages[0] }], usage: openAiUsage }, undefined, 2),
    model: 'gpt-4o-2024-08-06', counts: openAiCounts,
  },
  {
    name: 'OpenAI chat, streamed', path: '/gateway/openai/v1/chat/completions', isEvents: true,
    request: JSON.stringify({ model: 'gpt-4o', stream: true, stream_options: { include_usage: true }, messages }), requestModel: 'gpt-4o',
    response: events(
      chunk({ choices: [{ delta: { content: `${SECRET}\n{` } }], usage: null }), chunk({ choices: [{ delta: { content: '"}' } }], usage: null }),
      chunk({ choices: [], usage: openAiUsage }), '[DONE]'),
    model: 'gpt-4o-2024-08-06', counts: openAiCounts,
  },
  {
    name: 'OpenAI responses', path: '/v1/responses', isEvents: false,
    request: JSON.stringify({ model: 'gpt-4.1', input: SECRET }), requestModel: 'gpt-4.1',
    response: JSON.stringify(completed), model: 'gpt-4.1-2025-04-14',
    counts: counts({ [COUNT_INPUT]: 36, [COUNT_OUTPUT]: 87, [COUNT_CACHED]: 5, [COUNT_REASONING]: 3 }),
  },
  {
    name: 'OpenAI responses, streamed', path: '/v1/responses', isEvents: true,
    request: JSON.stringify({ model: 'gpt-4.1', input: SECRET, stream: true }), requestModel: 'gpt-4.1',
    response: events(
      { type: 'response.created', response: { id: 'resp_1', model: 'gpt-4.1-2025-04-14', usage: null } },
      { type: 'response.output_text.delta', delta: `${SECRET}"usage":{"input_tokens":9}` }, { type: 'response.completed', response: completed }),
    model: 'gpt-4.1-2025-04-14', counts: counts({ [COUNT_INPUT]: 36, [COUNT_OUTPUT]: 87, [COUNT_CACHED]: 5, [COUNT_REASONING]: 3 }),
  },
  {
    name: 'OpenAI embeddings', path: '/v1/embeddings', isEvents: false,
    request: JSON.stringify({ input: [SECRET], model: 'text-embedding-3-small' }), requestModel: 'text-embedding-3-small',
    response: JSON.stringify({ object: 'list', data: [{ embedding: [0.1, -2e-5, 3] }], model: 'text-embedding-3-small', usage: { prompt_tokens: 8, total_tokens: 8 } }),
    model: 'text-embedding-3-small', counts: counts({ [COUNT_PROMPT]: 8 }),
  },
  {
    name: 'Anthropic messages', path: '/v1/messages', isEvents: false,
    request: JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 9, messages }), requestModel: 'claude-sonnet-4-5',
    response: JSON.stringify({ id: 'msg_1', type: 'message', content: [{ type: 'text', text: SECRET }], model: 'claude-sonnet-4-5-20250929', usage: { ...anthropicUsage, output_tokens: 15 } }),
    model: 'claude-sonnet-4-5-20250929',
    counts: counts({ [COUNT_INPUT]: 25, [COUNT_OUTPUT]: 15, [COUNT_CACHE_READ]: 100, [COUNT_CACHE_WRITE]: 7 }),
  },
  {
    name: 'Anthropic messages, streamed', path: '/v1/messages', isEvents: true,
    request: JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 9, stream: true, messages }), requestModel: 'claude-sonnet-4-5',
    response: `: comment {"model":"no"}\n${events(
      { type: 'message_start', message: { id: 'msg_1', model: 'claude-sonnet-4-5-20250929', content: [], usage: { ...anthropicUsage, output_tokens: 1 } } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: SECRET } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 15 } }, { type: 'message_stop' }).replaceAll('\n', '\r\n')}`,
    model: 'claude-sonnet-4-5-20250929',
    counts: counts({ [COUNT_INPUT]: 25, [COUNT_OUTPUT]: 15, [COUNT_CACHE_READ]: 100, [COUNT_CACHE_WRITE]: 7 }),
  },
  {
    name: 'Gemini, streamed as a list', path: '/v1beta/models/gemini-2.5-flash:streamGenerateContent', isEvents: false,
    request: JSON.stringify({ contents: [{ parts: [{ text: SECRET }] }] }), requestModel: undefined,
    response: JSON.stringify([
      { candidates: [{ content: { parts: [{ text: SECRET }] } }], usageMetadata: { promptTokenCount: 10, totalTokenCount: 10 }, modelVersion: 'gemini-2.5-flash' },
      { candidates: [], usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 20, thoughtsTokenCount: 30, cachedContentTokenCount: 4 }, modelVersion: 'gemini-2.5-flash' },
    ], undefined, 1),
    model: 'gemini-2.5-flash', counts: counts({ [COUNT_PROMPT]: 10, [COUNT_OUTPUT]: 20, [COUNT_THOUGHTS]: 30, [COUNT_CACHED]: 4 }),
  },
  {
    name: 'Bedrock converse', path: '/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse', isEvents: false,
    request: JSON.stringify({ messages }), requestModel: undefined,
    response: JSON.stringify({ output: { message: { content: [{ text: SECRET }] } }, usage: { inputTokens: 30, outputTokens: 628, totalTokens: 658 } }),
    model: undefined, counts: counts({ [COUNT_INPUT]: 30, [COUNT_OUTPUT]: 628 }),
  },
]
