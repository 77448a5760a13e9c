/** Codes of ClickHouse (src/Common/ErrorCodes.cpp) for a value that cannot be read, or not be kept: of text, dates, numbers, lists, limits. */
const OF_RECORDS = new Set([6, 25, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 130, 131, 321, 407, 467])

/** A field that the tables have not is told with the same code as a value that is no sense. */
const UNKNOWN_FIELD = /Unknown field/

const STALE = 'its tables are of an earlier version, and lack a field: bring them up to date with lintel clickhouse schema'
const CREDENTIALS = 'the credentials are not taken: look at auth'

/** True when an insert failed for what a record is; false when it is of the server, and records are to wait. */
export function isOfRecords(code: number, said: string): boolean {
  return OF_RECORDS.has(code) && !(code === 117 && UNKNOWN_FIELD.test(said))
}

/** What to do about it, where that is known. */
export function mendOf(code: number, database: string): string | undefined {
  switch (code) {
    case 10: case 16: case 117: return STALE
    case 60: case 81: return `there are no tables for records in database "${database}": make them with lintel clickhouse schema`
    case 115: return 'it does not know a setting that the output needs: ClickHouse 24.8 or later is needed'
    case 164: case 497: return `the user may not write there: GRANT INSERT ON ${database}.incoming`
    case 192: case 193: case 194: case 516: return CREDENTIALS
    case 252: return 'it cannot merge as fast as batches come: raise batch.age and batch.records, set async, or send by Kafka'
    case 349: return 'a record without kind or time cannot be kept: fields of the output must not leave these out'
    case 469: return 'its tables are being made; if that goes on, run the statements of lintel clickhouse schema again, to the last'
    default: return undefined
  }
}
