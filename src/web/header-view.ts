import { CALLER_HEADERS, HEADER_COLUMNS, type Words } from '../store/mod.ts'
import { AskedWronglyError } from './question.ts'
import { groupedRolled, groupedSql, LOOKED_AT, SHARED_COLUMNS, type View } from './view.ts'

/** A header's name: a token (RFC 9110, 5.6.2), in small letters. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,256}$/

/** A header's name, from a URL, in small letters. @throws {AskedWronglyError} */
export function headerName(header: string): string {
  const name = header.toLowerCase()
  if (NAME.test(name)) return name
  throw new AskedWronglyError(`Cannot use header=${JSON.stringify(header.slice(0, 40))}: it must be the name of a header, e.g. x-tenant-id`)
}

/**
 * Exchanges by the first value of one request header, e.g. of a tenant or an API key (its hash, where privacy hashes it): who called,
 * how often, how it went. Of a header without a column of its own only the newest exchanges are looked at.
 */
export function headerView(name: string): View {
  return {
    name: 'by-header',
    title: 'By header',
    columns: [{ title: name, unit: 'text' }, ...SHARED_COLUMNS],
    ...(hasColumn(name) ? {} : { newest: LOOKED_AT }),
    sql: question => groupedSql(firstValue(question.words, name), question),
    rolled: question => (CALLER_HEADERS as readonly string[]).includes(name) ? groupedRolled('header', 'k2', question, name) : undefined,
  }
}

function hasColumn(name: string): boolean {
  return HEADER_COLUMNS.some(({ header }) => header === name)
}

/** SQL of the first value of a request header. */
export function firstValue({ filter }: Words, name: string): string {
  const { sql, first } = filter.headerValues('http_request_header', filter.quote(name), true)
  return first ?? filter.valueAt(sql, 0)
}
