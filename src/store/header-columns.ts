import { type Column, identifier, quote } from './columns.ts'

/** Headers of requests that say who calls: these are counted beforehand, any other one in the records. */
export const CALLER_HEADERS = [
  'authorization', 'x-api-key', 'api-key', 'apikey', 'x-tenant-id', 'x-tenant', 'x-consumer-id', 'x-consumer-username', 'x-client-id', 'x-user-id',
  'x-account-id', 'x-organization-id',
] as const
/** Headers of requests that carry a credential; of a hidden one the name is still there. */
export const CREDENTIALS = [
  'authorization', 'cookie', 'proxy-authorization', 'x-api-key', 'api-key', 'apikey', 'x-auth-token', 'x-access-token',
] as const

const HEADERS_FIELD = 'http.request.header'
const HEADERS = 'http_request_header'
/** SQL of the headers of a line of a journal. */
export const JSON_HEADERS = '"http"."request"."header"'

/** A column that repeats the first value of one header of requests: all headers of all records are much to read for one. */
export interface HeaderColumn {
  readonly name: string
  readonly header: string
  /** Of the headers. */
  readonly field: string
}

/** In this order, behind all others. */
export const HEADER_COLUMNS: readonly HeaderColumn[] = [...new Set<string>([...CALLER_HEADERS, ...CREDENTIALS])].map(header => (
  { name: `${HEADERS}_${header.replaceAll('-', '_')}`, header, field: HEADERS_FIELD }))

const BY_HEADER = new Map(HEADER_COLUMNS.map(({ header, name }) => [quote(header), name]))

/** None where the headers themselves are not among the columns. */
export function headerColumnsOf(columns: readonly Column[]): readonly HeaderColumn[] {
  return columns.some(({ field }) => field === HEADERS_FIELD) ? HEADER_COLUMNS : []
}

/** The column of a header, as an identifier; undefined = it has none. @param headers SQL, a column; @param header SQL, a literal */
export function headerColumnSql(headers: string, header: string): string | undefined {
  return headers === HEADERS || headers === identifier(HEADERS) ? BY_HEADER.get(header) : undefined
}

/** SQL list that makes these columns of the headers. */
export function madeHeadersSql(columns: readonly HeaderColumn[], headers = HEADERS): string {
  return columns.map(({ name, header }) => `, ${headers}[${quote(header)}][1] AS ${name}`).join('')
}

interface SegmentSource {
  readonly path: string
  readonly hasHeaderColumns: boolean
}

/** SQL of the records of segments, the older ones among them without columns for headers. */
export function segmentsSelect(segments: readonly SegmentSource[]): string {
  const { whole = [], old = [] } = Object.groupBy(segments, ({ hasHeaderColumns }) => hasHeaderColumns ? 'whole' : 'old')
  const read = (files: readonly SegmentSource[]): string =>
    `read_parquet([${files.map(({ path }) => quote(path)).join(', ')}], union_by_name = true)`
  const parts = whole.length > 0 ? [`SELECT * FROM ${read(whole)}`] : []
  if (old.length > 0) parts.push(`SELECT *${madeHeadersSql(HEADER_COLUMNS)} FROM ${read(old)}`)
  return parts.join(' UNION ALL BY NAME ')
}
