import { linearExpression } from './linear-pattern.ts'
import type { PrivacyOptions } from './options.ts'

const SPANS_MAX = 64

/** Patterns of the configuration, searched for in every value in linear time. */
export class CustomPatterns {
  readonly any: boolean
  /** Values found, by pattern. */
  readonly counts = new Map<string, number>()
  readonly #patterns: readonly { readonly name: string; readonly expression: RegExp }[]

  /** @throws {Error} for an expression that cannot be used */
  constructor(patterns: PrivacyOptions['credentials']['patterns']) {
    this.#patterns = patterns.map(({ name, regex }, index) => (
      { name, expression: linearExpression(regex, `privacy.credentials.patterns[${index}].regex`) }))
    this.any = patterns.length > 0
  }

  /**
   * Writes start and end of each match to `spans` and returns how many there are; more than fit is 65, and
   * the caller hides the whole text.
   */
  find(text: string, spans: Uint32Array): number {
    let count = 0
    for (const { name, expression } of this.#patterns) {
      expression.lastIndex = 0
      for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
        if (match[0].length === 0) {
          expression.lastIndex++
          continue
        }
        if (count === SPANS_MAX) return SPANS_MAX + 1
        spans[2 * count] = match.index
        spans[2 * count + 1] = match.index + match[0].length
        count++
        this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
      }
    }
    return count
  }
}
