import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as B from '../../wasm/body-contract.ts'
import type { BodyFindings } from '../decode/mod.ts'
import { genAiCall, genAiGaps } from './gen-ai-facts.ts'

function found(counts: Readonly<Record<number, number>> = {}, more: Partial<BodyFindings> = {}): BodyFindings {
  return {
    api: undefined, model: undefined, isModelLong: false, unread: undefined,
    counts: Array.from({ length: B.COUNT_COUNT }, (_, at) => counts[at] ?? -1), ...more,
  }
}

const MODEL = Buffer.from('m')
const ASKED = found({}, { api: { operation: 'chat', provider: 'openai', model: undefined }, model: MODEL })

function usage(counts: Readonly<Record<number, number>>): object {
  const { inputTokens, outputTokens, cacheRead, cacheWrite, reasoning } = genAiCall(ASKED, found(counts))!
  return Object.fromEntries(Object.entries({ inputTokens, outputTokens, cacheRead, cacheWrite, reasoning }).filter(([, value]) => value !== undefined))
}

test('input tokens have those of a cache among them, whoever counts them', () => {
  assert.deepEqual(usage({ [B.COUNT_PROMPT]: 100, [B.COUNT_CACHED]: 60, [B.COUNT_OUTPUT]: 5 }), { inputTokens: 100, outputTokens: 5, cacheRead: 60 })
  assert.deepEqual(usage({ [B.COUNT_INPUT]: 40, [B.COUNT_CACHE_READ]: 60, [B.COUNT_CACHE_WRITE]: 7, [B.COUNT_OUTPUT]: 5 }),
    { inputTokens: 107, outputTokens: 5, cacheRead: 60, cacheWrite: 7 })
  // A gateway that answers in OpenAI's form for another's model: its total has everything.
  assert.deepEqual(usage({ [B.COUNT_PROMPT]: 107, [B.COUNT_CACHE_READ]: 60, [B.COUNT_CACHE_WRITE]: 7 }), { inputTokens: 107, cacheRead: 60, cacheWrite: 7 })
  assert.deepEqual(usage({ [B.COUNT_INPUT]: 36, [B.COUNT_CACHED]: 5 }), { inputTokens: 36, cacheRead: 5 })
})

test('output tokens have those of reasoning among them, whoever counts them', () => {
  assert.deepEqual(usage({ [B.COUNT_OUTPUT]: 50, [B.COUNT_REASONING]: 20 }), { outputTokens: 50, reasoning: 20 })
  assert.deepEqual(usage({ [B.COUNT_OUTPUT]: 50, [B.COUNT_THOUGHTS]: 20 }), { outputTokens: 70, reasoning: 20 })
  assert.deepEqual(usage({ [B.COUNT_THOUGHTS]: 20 }), { outputTokens: 20, reasoning: 20 })
})

test('an exchange without a model and counts is no call', () => {
  const api = { operation: 'chat', provider: 'anthropic', model: undefined }
  assert.equal(genAiCall(found({}, { api }), found()), undefined)
  assert.equal(genAiCall(found({}, { api: { ...api, model: 'in-path' } }), undefined)!.requestModel, 'in-path')
  assert.equal(genAiCall(ASKED, undefined)!.responseModel, undefined)
})

test('what is missing has its reason, and what is there has none', () => {
  const reasons = (asked: BodyFindings | undefined, answered: BodyFindings | undefined): string[] =>
    genAiGaps(genAiCall(asked, answered), asked, answered).map(([, reason]) => reason)
  assert.deepEqual(reasons(ASKED, found()), [])
  assert.deepEqual(reasons(ASKED, found({ [B.COUNT_OUTPUT]: 1 }, { model: MODEL, unread: 'missing' })), [])
  assert.deepEqual(reasons(ASKED, found({}, { unread: 'coding' })),
    ['not read: compressed, or in a form, that is not known', 'not read: compressed, or in a form, that is not known'])
  assert.deepEqual(reasons(found({}, { isModelLong: true }), undefined), ['cut: more than the bound'])
})
