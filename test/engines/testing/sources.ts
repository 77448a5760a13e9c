import type { TestContext } from 'node:test'
import { hasCorpora } from '../../conformance/testing/corpora.ts'
import { corpusLines } from '../../store/testing/corpus-lines.ts'
import { REAL_EXCHANGES, realExchanges } from './real-exchanges.ts'

/** Where the records of an engine's test come from. */
export interface Source {
  /** For test names. */
  readonly name: string
  /** Lines of NDJSON; undefined when the test is skipped for lack of captures. */
  lines(context: TestContext): Promise<readonly string[] | undefined>
}

let captured: Promise<readonly string[]> | undefined
let live: Promise<readonly string[]> | undefined

export const CAPTURES: Source = {
  name: 'every record of the captures',
  lines: async context => hasCorpora(context) ? await (captured ??= corpusLines()) : undefined,
}

export const LIVE: Source = {
  name: `${REAL_EXCHANGES} real exchanges`,
  lines: async () => await (live ??= realExchanges()),
}

export const SOURCES: readonly Source[] = [CAPTURES, LIVE]
