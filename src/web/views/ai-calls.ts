import type { Prices } from '../../sink/mod.ts'
import { costSql } from '../prices.ts'
import type { Question } from '../question.ts'
import { firstValue } from '../header-view.ts'
import { CLIENT, FAILED, pointSql, quantilesOf, REFUSED, type View, type ViewColumn } from '../view.ts'

/** The model that answered; where that is not known, the one that was asked for. */
const MODEL = 'coalesce(gen_ai_response_model, gen_ai_request_model)'
/** An exchange is a call where its bodies told something (capture.body_fields). */
const IS_CALL = `(${MODEL} IS NOT NULL OR gen_ai_usage_input_tokens IS NOT NULL OR gen_ai_usage_output_tokens IS NOT NULL)`
const CONDITION = 'gen_ai.response.model == % || (!has(gen_ai.response.model) && gen_ai.request.model == %)'

function columnsOf({ currency }: Prices): readonly ViewColumn[] {
  return [
    { title: 'Calls', unit: 'count' }, { title: '4xx', unit: 'count' }, { title: '5xx', unit: 'count' },
    { title: 'Input tokens', unit: 'count' }, { title: 'Of them cached', unit: 'count' }, { title: 'Output tokens', unit: 'count' },
    { title: currency === undefined ? 'Cost' : `Cost, ${currency}`, unit: 'cost' }, { title: 'Without a cost', unit: 'count' },
  ]
}

/** Sums are NULL where nothing was told: 0 would say that nothing was used. A call costs nothing known without a price, or counts. */
const SUMS = `count(*) AS n, ${REFUSED} AS refused, ${FAILED} AS failed, sum(gen_ai_usage_input_tokens) AS input,
  sum(gen_ai_usage_cache_read_input_tokens) AS cached, sum(gen_ai_usage_output_tokens) AS output,
  sum(price) AS cost, count(*) FILTER (WHERE price IS NULL) AS unpriced`

/** Calls with what each costs. */
function priced(prices: Prices, { where, words }: Question): string {
  return `(SELECT *, ${costSql(prices, MODEL, words)} AS price FROM exchanges WHERE ${IS_CALL} AND ${where})`
}

function grouped(prices: Prices, keys: readonly string[], question: Question, more = ''): string {
  const places = keys.map((_, index) => index + 1).join(', ')
  return `SELECT ${keys.join(', ')}, ${SUMS}${more} FROM ${priced(prices, question)} GROUP BY ${places}
    ORDER BY cost DESC NULLS LAST, n DESC, ${places} LIMIT ${question.limit}`
}

/** Views over AI calls, with their costs. */
export function aiViews(prices: Prices): readonly View[] {
  const shared = columnsOf(prices)
  return [
    {
      name: 'ai-totals', title: 'AI calls',
      columns: [...shared, { title: 'p50', unit: 'seconds' }, { title: 'p95', unit: 'seconds' }],
      sql: question => `SELECT ${SUMS}, ${quantilesOf(question, ['p50', 'p95'])} FROM ${priced(prices, question)}`,
    },
    {
      name: 'ai-calls', title: 'AI calls over time',
      columns: [{ title: 'Time', unit: 'time' }, ...shared],
      sql: question => `SELECT ${pointSql(question)} AS at, ${SUMS} FROM ${priced(prices, question)} GROUP BY 1 ORDER BY 1`,
    },
    {
      name: 'ai-models', title: 'Models', narrow: CONDITION,
      columns: [{ title: 'Model', unit: 'text' }, { title: 'Provider', unit: 'text' }, { title: 'Operation', unit: 'text' }, ...shared,
        { title: 'p50', unit: 'seconds' }, { title: 'p95', unit: 'seconds' }],
      sql: question => grouped(prices, [`${MODEL} AS model`, 'gen_ai_provider_name', 'gen_ai_operation_name'], question,
        `, ${quantilesOf(question, ['p50', 'p95'])}`),
    },
    {
      name: 'ai-clients', title: 'AI calls by client',
      columns: [{ title: 'Client', unit: 'text' }, { title: 'Process', unit: 'text' }, ...shared],
      sql: question => grouped(prices, [`${CLIENT} AS client`, 'client_process_executable_name AS process'], question),
    },
  ]
}

/** AI calls by a tenant: by the first value of a request header. @param name its name, in small letters, of letters that a name may have */
export function aiHeaderView(name: string, prices: Prices): View {
  return {
    name: 'ai-by-header', title: 'AI calls by header',
    columns: [{ title: name, unit: 'text' }, ...columnsOf(prices)],
    sql: question => grouped(prices, [`${firstValue(question.words, name)} AS tenant`], question),
  }
}
