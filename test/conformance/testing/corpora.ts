import { existsSync, readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Folder of the third-party captures; not part of this project. */
export const CORPORA = process.env['LINTEL_CORPORA'] ?? fileURLToPath(new URL('../../../../shared/corpora', import.meta.url))

/** A row of expected/truth.jsonl, as far as it is read here. */
export interface TruthRow {
  readonly file: string
  readonly bytes: number
  readonly packets: number | null
  readonly http_requests: number
  readonly http_responses: number
  readonly methods: Readonly<Record<string, number>>
  readonly status_codes: Readonly<Record<string, number>>
}

/**
 * Whether the captures are there. Without them the test is skipped with a notice, except with CI=true, where missing means
 * failed.
 */
export function hasCorpora(context: TestContext): boolean {
  if (existsSync(`${CORPORA}/expected/truth.jsonl`)) return true
  const notice = `Cannot find the captures in "${CORPORA}": set LINTEL_CORPORA to their folder`
  if (process.env['CI'] === 'true') throw new Error(notice)
  context.skip(notice)
  return false
}

/** Every capture file with what is known of it. */
export function truthRows(): TruthRow[] {
  return readFileSync(`${CORPORA}/expected/truth.jsonl`, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as TruthRow)
}

export function folderOf(file: string): string {
  return file.slice(0, file.indexOf('/'))
}
