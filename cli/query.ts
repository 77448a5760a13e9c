import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { isatty } from 'node:tty'
import { parseBytes, parseDuration } from '../lib/units/mod.ts'
import { FIELDS } from '../src/exchange/fields.ts'
import { ClickReader } from '../src/store/clickhouse/mod.ts'
import { columnsOf, FilterError, jsonText, QueryError, recordLine, StoreReader } from '../src/store/mod.ts'
import type { Answer, PlainValue } from '../src/store/mod.ts'
import { askedStore } from './data-directory.ts'
import { say, UsageError } from './exit.ts'
import { configOf } from './flag-config.ts'
import { HAR_END, harBegin, harEntry } from './har.ts'
import { AnswerPrinter, FORMATS, type Format, writeTo } from './query-format.ts'

export interface QueryFlags {
  readonly config?: string
  readonly store?: string
  readonly format?: string
  readonly limit: string
  readonly since?: string
  readonly timeout: string
  readonly memory: string
  readonly sql?: boolean
}

const COLUMNS = columnsOf(FIELDS)
const SQL = /^(?:\s|--[^\n]*\n|\/\*[^]*?\*\/)*(?:select|with)\b/i
const INTERRUPTED = 130

/** `lintel query EXPRESSION`: the records of a store for which a filter is true, or what an SQL query says of them. */
export async function query(expression: string, flags: QueryFlags): Promise<void> {
  const format = formatOf(flags.format)
  const limit = wholeNumber('--limit', flags.limit)
  const question = flags.sql === true || SQL.test(expression) ? expression : undefined
  if (format === 'har' && question !== undefined) {
    throw new UsageError('Cannot write an archive of SQL rows: ask by a filter, e.g. \'http.request.method == "GET"\'')
  }
  // Parquet is written by its end: into a file of this command's own, then to standard output whatever that is.
  const exportFolder = format === 'parquet' ? mkdtempSync(join(tmpdir(), 'lintel-query-')) : undefined
  process.umask(0o077)
  try {
    const exportPath = exportFolder === undefined ? undefined : join(exportFolder, 'answer.parquet')
    const reader = await openReader(flags, exportPath)
    await answer(reader, { expression, format, limit, isRecords: question === undefined, exportPath })
  } catch (error) {
    if (process.exitCode === INTERRUPTED) return
    throw error instanceof QueryError || error instanceof FilterError ? new UsageError(error.message) : error
  } finally {
    if (exportFolder !== undefined) rmSync(exportFolder, { recursive: true, force: true })
  }
}

async function openReader(flags: QueryFlags, exportPath: string | undefined): Promise<StoreReader | ClickReader> {
  const config = configOf(flags.config)
  const options = {
    columns: COLUMNS,
    sinceMs: flags.since === undefined ? 0 : Date.now() - unit('--since', flags.since, parseDuration),
    memoryMiB: Math.max(64, Math.floor(unit('--memory', flags.memory, parseBytes) / 1024 / 1024)),
    timeoutMs: unit('--timeout', flags.timeout, parseDuration),
  }
  const store = askedStore(config, flags.store)
  if ('folder' in store) return await StoreReader.open({ ...options, ...store, threads: 2, ...(exportPath === undefined ? {} : { exportPath }) })
  if (exportPath !== undefined) {
    throw new UsageError('Cannot write Parquet from ClickHouse: ask its own client (... FORMAT Parquet), or use --format csv')
  }
  const { database, ...server } = store.clickhouse
  return new ClickReader({ ...options, server, database })
}

interface Question {
  /** CEL, or SQL. */
  readonly expression: string
  readonly format: Format
  readonly limit: number
  readonly isRecords: boolean
  readonly exportPath: string | undefined
}

async function answer(reader: StoreReader | ClickReader, { expression, format, limit, isRecords, exportPath }: Question): Promise<void> {
  process.once('SIGINT', () => {
    process.exitCode = INTERRUPTED
    reader.interrupt('interrupted')
  })
  try {
    if (format === 'har') await printHar(await reader.records(expression, limit))
    else if (exportPath === undefined || reader instanceof ClickReader) {
      await print(await (isRecords ? reader.records(expression, limit) : reader.ask(expression)), { format, limit, isRecords })
    } else {
      const sql = isRecords ? reader.recordSql(expression, limit) : limit === 0 ? expression : bounded(expression, limit)
      await reader.exportTo(sql)
      await pipeline(createReadStream(exportPath), process.stdout, { end: false })
    }
    for (const note of reader.notes) say('warn', note)
  } finally {
    reader.close()
  }
}

function bounded(statement: string, limit: number): string {
  return `SELECT * FROM (\n${statement.replace(/[\s;]+$/, '')}\n) LIMIT ${limit}`
}

/** Records as an HTTP Archive; of those that are no exchanges only how many there were is told. */
async function printHar({ rows }: Answer): Promise<void> {
  let entries = 0
  let others = 0
  await writeTo(process.stdout, harBegin())
  for await (const block of rows) {
    let text = ''
    for (const row of block) {
      const entry = harEntry(recordLine(COLUMNS, row))
      if (entry === undefined) others++
      else text += `${entries++ === 0 ? '' : ',\n'}${entry}`
    }
    if (text !== '') await writeTo(process.stdout, text)
  }
  await writeTo(process.stdout, HAR_END)
  if (others > 0) say('info', `${others} records of other kinds are left out: an archive holds exchanges`)
}

async function print(answer: Answer, { format, limit, isRecords }: { format: Format, limit: number, isRecords: boolean }): Promise<void> {
  const line = format === 'ndjson' ? (isRecords ? (row: readonly PlainValue[]) => recordLine(COLUMNS, row) : objectLine(answer.names)) : undefined
  const printer = new AnswerPrinter(process.stdout, format, answer.names, isRecords ? row => recordLine(COLUMNS, row) : undefined, line)
  let count = 0
  for await (const rows of answer.rows) {
    const room = limit === 0 ? rows.length : limit - count
    count += Math.min(rows.length, room)
    await printer.rows(rows.slice(0, room))
    if (rows.length > room) {
      say('info', `the first ${limit} rows; --limit N shows more, --limit 0 all`)
      break
    }
  }
  await printer.end()
  if (isRecords && limit > 0 && count === limit) say('info', `the newest ${limit} records; --limit N shows more, --limit 0 all`)
}

function objectLine(names: readonly string[]): (row: readonly PlainValue[]) => string {
  return row => `{${names.map((name, index) => `${JSON.stringify(name)}:${jsonText(row[index] ?? null)}`).join(',')}}`
}

function formatOf(text: string | undefined): Format {
  const format = text ?? (isatty(1) ? 'table' : 'ndjson')
  if (!(FORMATS as readonly string[]).includes(format)) throw new UsageError(`Cannot use --format "${format}": it must be ${FORMATS.join(', ')}`)
  if (format === 'parquet' && isatty(1)) throw new UsageError('Cannot write Parquet to a terminal: redirect it into a file (> answer.parquet)')
  return format as Format
}

function wholeNumber(flag: string, text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new UsageError(`Cannot use ${flag} "${text}": it must be a whole number, 0 = no limit`)
  return Number(text)
}

function unit(flag: string, text: string, parse: (text: string) => number): number {
  try {
    return parse(text)
  } catch (error) {
    throw new UsageError(`Cannot use ${flag}: ${(error as Error).message}`)
  }
}

