/** A field of the registry, as far as a column needs it. */
export interface StoreField {
  readonly name: string
  readonly type: string
}

/** A column of the store. */
export interface Column {
  /** Name of the field with dots as underscores: `http_request_method`. */
  readonly name: string
  /** The field: `http.request.method`. */
  readonly field: string
  readonly fieldType: string
  /** DuckDB's type. */
  readonly sqlType: string
}

/** Times keep their nanoseconds; headers keep the order in which their names arrived, and the values of each name theirs. */
const SQL_TYPE: ReadonlyMap<string, string> = new Map([
  ['string', 'VARCHAR'], ['address', 'VARCHAR'], ['mac', 'VARCHAR'], ['int', 'BIGINT'], ['seconds', 'DOUBLE'], ['bool', 'BOOLEAN'],
  ['time', 'TIMESTAMP_NS'], ['strings', 'VARCHAR[]'], ['ints', 'BIGINT[]'], ['headers', 'MAP(VARCHAR, VARCHAR[])'],
  ['marks', 'MAP(VARCHAR, VARCHAR)'],
])

/** The columns of the store, one a field, in the registry's order. @throws {RangeError} for a type without a column type */
export function columnsOf(fields: readonly StoreField[]): readonly Column[] {
  return fields.map(({ name, type }) => {
    const sqlType = SQL_TYPE.get(type)
    if (sqlType === undefined) throw new RangeError(`Cannot store field "${name}": there is no column type for "${type}"`)
    return { name: name.replaceAll('.', '_'), field: name, fieldType: type, sqlType }
  })
}

/** Text as an SQL literal. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A name as an SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** SQL list of a record's own columns, in their order. */
export function recordListSql(columns: readonly Column[]): string {
  return columns.map(({ name }) => identifier(name)).join(', ')
}

/** A line of a journal that is no record: see src/sink/journal.ts. */
const SEAL = 'journal'
/** A line is at most this long: sink/batcher.ts. */
const LINE_BYTES_MAX = 4 * 1024 * 1024

/** SQL that reads journals (NDJSON as it was written, nested) as rows of the columns. Lines that are no JSON pass by. `more`: of the list. */
export function journalSelect(paths: readonly string[], columns: readonly Column[], more = ''): string {
  const tree = treeOf(columns)
  const keys = [...tree].map(([key, value]) => `${identifier(key)}: ${quote(typeOf(value))}`)
  const list = columns.map(({ name, field }) => `${field.split('.').map(identifier).join('.')} AS ${identifier(name)}`)
  return `SELECT ${list.join(', ')}${more} FROM read_json([${paths.map(quote).join(', ')}], format = 'newline_delimited', ` +
    `maximum_object_size = ${LINE_BYTES_MAX}, ignore_errors = true, ` +
    `columns = {${keys.join(', ')}, ${identifier(SEAL)}: 'JSON'}) WHERE ${identifier(SEAL)} IS NULL AND "kind" IS NOT NULL`
}

type Tree = Map<string, Tree | string>

function treeOf(columns: readonly Column[]): Tree {
  const root: Tree = new Map()
  for (const { field, sqlType } of columns) {
    const parts = field.split('.')
    const last = parts.pop() as string
    let at = root
    for (const part of parts) {
      const next = at.get(part) ?? new Map<string, Tree | string>()
      at.set(part, next)
      at = next as Tree
    }
    at.set(last, sqlType)
  }
  return root
}

function typeOf(value: Tree | string): string {
  if (typeof value === 'string') return value
  return `STRUCT(${[...value].map(([key, inner]) => `${identifier(key)} ${typeOf(inner)}`).join(', ')})`
}
