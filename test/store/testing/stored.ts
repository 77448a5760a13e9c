import { columnsOf, recordLine, StoreReader } from '../../../src/store/mod.ts'
import type { Answer, PlainValue, ReaderOptions } from '../../../src/store/mod.ts'
import { configSchema } from '../../../src/config.ts'
import { FIELDS } from '../../../src/exchange/fields.ts'
import { openSink } from '../../../src/sink/mod.ts'
import type { SafeBatch, Sink, SinkHost } from '../../../src/sink/mod.ts'

export const COLUMNS = columnsOf(FIELDS)

/** A host that remembers what it was told. */
export class StoreHost implements SinkHost {
  readonly logs: string[] = []
  readonly reasons = new Map<string, number>()
  written = 0

  settled(batch: SafeBatch, written: number, reason?: string): void {
    this.written += written
    if (reason !== undefined) this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + batch.count - written)
  }

  ended(): void {}

  log(level: string, message: string): void {
    this.logs.push(`${level}: ${message}`)
  }
}

/** A store's output, configured as in a config file. */
export function openStore(path: string, host: SinkHost, more: Record<string, unknown> = {}): Sink {
  const [options] = configSchema.shape.outputs.parse([{ type: 'store', path, ...more }])
  return openSink(options as NonNullable<typeof options>, host)
}

/** Lines as batches of at most so many. */
export function batchesOf(lines: readonly string[], count = 500): SafeBatch[] {
  return Array.from({ length: Math.ceil(lines.length / count) }, (_, index) => {
    const part = lines.slice(index * count, (index + 1) * count)
    return { bytes: new Uint8Array(Buffer.from(`${part.join('\n')}\n`)), count: part.length, kinds: [part.length, 0, 0, 0, 0, 0], outputs: 1 }
  })
}

/** Exchanges with a number each, all else the same, each at least `lineBytes` long. */
export function numberedLines(first: number, count: number, lineBytes = 0): string[] {
  const pad = 'x'.repeat(Math.max(0, lineBytes - 220))
  return Array.from({ length: count }, (_, index) => JSON.stringify({
    kind: 'exchange', time: new Date(1_780_000_000_000 + first + index).toISOString().replace('Z', '000000Z'), event: { sequence: first + index },
    http: { request: { method: 'GET', header: { host: ['shop.example'], 'x-number': [`n${first + index}`], 'x-pad': [pad] } }, response: { status_code: 200 + index % 5 } },
  }))
}

export async function openReader(folder: string, more: Partial<ReaderOptions> = {}): Promise<StoreReader> {
  return await StoreReader.open({ folder, columns: COLUMNS, sinceMs: 0, threads: 1, memoryMiB: 1024, timeoutMs: 60_000, ...more })
}

/** All rows of a query over a store. */
export async function ask(folder: string, sql: string, more: Partial<ReaderOptions> = {}): Promise<readonly PlainValue[][]> {
  const reader = await openReader(folder, more)
  try {
    return await rowsOf(reader, sql)
  } finally {
    reader.close()
  }
}

/** Who answers questions. */
export interface Asked {
  ask(sql: string): Promise<Answer>
}

export async function rowsOf(reader: Asked, sql: string): Promise<readonly PlainValue[][]> {
  const rows: PlainValue[][] = []
  for await (const part of (await reader.ask(sql)).rows) rows.push(...part)
  return rows
}

/** Every record of a store, as lines. */
export async function storedLines(folder: string): Promise<readonly string[]> {
  return (await ask(folder, 'SELECT * FROM records')).map(row => recordLine(COLUMNS, row))
}

/** The line as JSON.parse reads it: names in their order, numbers by their value. */
export function canonical(line: string): string {
  return JSON.stringify(JSON.parse(line))
}
