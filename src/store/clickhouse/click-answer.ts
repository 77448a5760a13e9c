import { type Answer, QueryError } from '../answer.ts'
import type { PlainValue } from '../plain-value.ts'
import { clickValue } from './click-value.ts'

/** What is asked for: names, types, then a list for each row. */
export const FORMAT = 'JSONCompactEachRowWithNamesAndTypes'

const ROWS_A_PIECE = 1024
const ERROR_LINES_MAX = 10
/** A record has at most 4 MiB; what is longer is of a query's own making. */
const LINE_BYTES_MAX = 64 * 1024 * 1024

/**
 * An answer as it comes. One that breaks off, or ends with an error of the server, fails where it does.
 *
 * @param clean makes text of the server fit for a message
 * @throws {QueryError} when it does not begin as `FORMAT` does
 */
export async function readAnswer(body: AsyncIterable<Buffer>, clean: (text: string) => string): Promise<Answer> {
  const lines = linesOf(body)
  const [first, second] = [(await lines.next()).value ?? '', (await lines.next()).value ?? '']
  const [names, types] = [listIn(first), listIn(second)] as [string[] | undefined, string[] | undefined]
  if (names === undefined || types === undefined) {
    throw new QueryError(`Cannot read the answer (${clean(`${first} ${second}`)}): leave FORMAT out of the query; or is it no ClickHouse?`)
  }
  async function* rows(): AsyncGenerator<readonly PlainValue[][]> {
    let piece: PlainValue[][] = []
    for await (const line of lines) {
      const values = listIn(line)
      if (values?.length !== types?.length) throw new QueryError(`Cannot finish the query: ${clean(await restOf(line, lines))}`)
      piece.push((values as unknown[]).map((value, index) => clickValue((types as string[])[index] as string, value)))
      if (piece.length < ROWS_A_PIECE) continue
      yield piece
      piece = []
    }
    if (piece.length > 0) yield piece
  }
  return { names, rows: rows() }
}

function listIn(line: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** An error that comes within an answer has lines of its own: a mark, the text. */
async function restOf(line: string, lines: AsyncIterator<string>): Promise<string> {
  let text = line
  for (let left = ERROR_LINES_MAX; left > 0; left--) {
    const { value, done } = await lines.next()
    if (done === true) break
    text += ` ${value as string}`
  }
  return text
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      const line = Buffer.concat([...parts, chunk.subarray(start, end)]).toString()
      if (line !== '') yield line
      parts = []
      bytes = 0
      start = end + 1
    }
    parts.push(chunk.subarray(start))
    bytes += chunk.length - start
    if (bytes > LINE_BYTES_MAX) throw new QueryError(`Cannot read the answer: a row is longer than ${LINE_BYTES_MAX} bytes`)
  }
  if (bytes > 0) yield Buffer.concat(parts).toString()
}
