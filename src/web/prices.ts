import type { Price, Prices } from '../sink/mod.ts'
import type { Words } from '../store/mod.ts'

export const NO_PRICES: Prices = { models: [] }

const INPUT = 'coalesce(gen_ai_usage_input_tokens, 0)'
const OUTPUT = 'coalesce(gen_ai_usage_output_tokens, 0)'
const CACHE_READ = 'coalesce(gen_ai_usage_cache_read_input_tokens, 0)'
const CACHE_CREATION = 'coalesce(gen_ai_usage_cache_creation_input_tokens, 0)'
const HAS_COUNTS = 'coalesce(gen_ai_usage_input_tokens, gen_ai_usage_output_tokens) IS NOT NULL'

/** What one call costs; NULL where its model has no price, or its tokens are not known. `model`: SQL of the model's name. */
export function costSql({ models }: Prices, model: string, { filter }: Words): string {
  if (models.length === 0) return filter.missing('number')
  const cases = models.map(price => `WHEN ${filter.matches(model, filter.quote(patternOf(price.model)))} THEN (${sumSql(price)}) / 1000000`)
  return `CASE WHEN NOT (${HAS_COUNTS}) THEN NULL ${cases.join(' ')} END`
}

/** Input tokens have those of a cache among them. */
function sumSql({ input, output, cache_read: read = input, cache_creation: creation = input }: Price): string {
  return `greatest(${INPUT} - ${CACHE_READ} - ${CACHE_CREATION}, 0) * ${numberSql(input)} + ${CACHE_READ} * ${numberSql(read)} + ` +
    `${CACHE_CREATION} * ${numberSql(creation)} + ${OUTPUT} * ${numberSql(output)}`
}

/** As a number with an exponent, which is a DOUBLE: decimals would have as many digits as they need, and then too many. */
function numberSql(value: number): string {
  return value.toExponential()
}

/** The whole name, * for any characters, as a pattern of RE2. */
function patternOf(name: string): string {
  return `^(?s:${name.replace(/[\\^$.|?+()[\]{}]/g, '\\$&').replaceAll('*', '.*')})$`
}
