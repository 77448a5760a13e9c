import { FIELDS, RECORD_KINDS } from '../../../src/exchange/fields.ts'
import { CORPORA, truthRows } from '../../conformance/testing/corpora.ts'
import { replayBatch } from '../../conformance/testing/replay-batch.ts'

/** Every how many captures one is read; of those with HTTP each. */
const EVERY = 12

/** Lines of NDJSON of all kinds, with all fields, from captures of every corpus. */
export async function corpusLines(): Promise<readonly string[]> {
  const rows = truthRows().filter((row, index) => index % EVERY === 0 || row.http_requests > 0)
  const jobs = rows.map(row => ({ path: `${CORPORA}/${row.file}` }))
  const lines: string[] = []
  const options = { kinds: RECORD_KINDS, fields: FIELDS.map(field => field.name), withText: true }
  for await (const { result } of replayBatch(jobs, options)) lines.push(...(result?.text ?? '').split('\n').filter(line => line !== ''))
  return lines
}
