import { version } from './version.ts'

/** What of an exchange record goes into an entry; any of it may be missing. */
interface ExchangeRecord {
  readonly kind?: string
  readonly time?: string
  readonly duration?: number
  readonly time_to_first_byte?: number
  readonly marks?: Readonly<Record<string, string>>
  readonly url?: { readonly scheme?: string; readonly domain?: string; readonly path?: string; readonly query?: string }
  readonly server?: { readonly address?: string; readonly port?: number }
  readonly network?: { readonly protocol?: { readonly version?: string }; readonly connection?: { readonly id?: number } }
  readonly http?: { readonly request?: HttpMessage; readonly response?: HttpMessage }
}

interface HttpMessage {
  readonly method?: string
  readonly status_code?: number
  readonly reason_phrase?: string
  readonly header?: Readonly<Record<string, readonly string[]>>
  readonly header_bytes?: number
  readonly body?: { readonly size?: number }
}

interface NameValue { readonly name: string; readonly value: string }

/** "Not known" of the format's sizes. */
const UNKNOWN = -1
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 }

/**
 * The beginning of an HTTP Archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/); its entries follow, with commas
 * between them, then HAR_END.
 */
export function harBegin(): string {
  return `{"log":{"version":"1.2","creator":${JSON.stringify({ name: 'Lintel', version: version() })},"entries":[\n`
}

export const HAR_END = '\n]}}\n'

/**
 * One exchange as an entry. Bodies are not captured, so `content` has a size and a type and no text; redacted values stay
 * redacted. What the record marks as cut, missing or unknown stands in `comment`. An exchange without a response has status 0,
 * as browsers write it.
 *
 * @param line a record as a line of NDJSON
 * @returns undefined for records that are no exchanges
 */
export function harEntry(line: string): string | undefined {
  const record = JSON.parse(line) as ExchangeRecord
  if (record.kind !== 'exchange') return undefined
  const { request = {}, response = {} } = record.http ?? {}
  const version = record.network?.protocol?.version
  const httpVersion = version === undefined ? 'unknown' : `HTTP/${version}`
  const comment = Object.entries(record.marks ?? {}).map(([field, reason]) => `${field}: ${reason}`).join('; ')
  const connection = record.network?.connection?.id
  return JSON.stringify({
    startedDateTime: record.time,
    time: milliseconds(record.duration),
    request: {
      method: request.method ?? 'unknown', url: urlOf(record), httpVersion, cookies: [],
      headers: headersOf(request), queryString: queryOf(record.url?.query), headersSize: request.header_bytes ?? UNKNOWN,
      bodySize: request.body?.size ?? UNKNOWN,
    },
    response: {
      status: response.status_code ?? 0, statusText: response.reason_phrase ?? '', httpVersion, cookies: [],
      headers: headersOf(response),
      content: { size: response.body?.size ?? 0, mimeType: response.header?.['content-type']?.[0] ?? 'x-unknown' },
      redirectURL: response.header?.['location']?.[0] ?? '', headersSize: response.header_bytes ?? UNKNOWN,
      bodySize: response.body?.size ?? UNKNOWN,
    },
    cache: {},
    timings: timingsOf(record),
    ...(record.server?.address === undefined ? {} : { serverIPAddress: record.server.address }),
    ...(connection === undefined ? {} : { connection: String(connection) }),
    ...(comment === '' ? {} : { comment }),
  })
}

/** The time to the first byte of the response, and from there to its last; how long the request took is in the first. */
function timingsOf({ duration, time_to_first_byte: wait }: ExchangeRecord): object {
  return { send: 0, wait: milliseconds(wait ?? duration), receive: wait === undefined ? 0 : milliseconds((duration ?? wait) - wait) }
}

function milliseconds(seconds: number | undefined): number {
  return seconds === undefined ? 0 : Math.round(seconds * 1e6) / 1e3
}

function headersOf({ header = {} }: HttpMessage): NameValue[] {
  return Object.entries(header).flatMap(([name, values]) => values.map((value) => ({ name, value })))
}

/** As it stands in the request, escapes and all. */
function queryOf(query: string | undefined): NameValue[] {
  if (query === undefined || query === '') return []
  return query.split('&').map((pair) => {
    const at = pair.indexOf('=')
    return at < 0 ? { name: pair, value: '' } : { name: pair.slice(0, at), value: pair.slice(at + 1) }
  })
}

function urlOf({ url = {}, server = {} }: ExchangeRecord): string {
  const { scheme = 'http', path = '/', query } = url
  const host = url.domain ?? server.address ?? 'unknown'
  const port = server.port === undefined || server.port === DEFAULT_PORTS[scheme] ? '' : `:${server.port}`
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return `${scheme}://${name}${port}${path.startsWith('/') ? path : `/${path}`}${query === undefined || query === '' ? '' : `?${query}`}`
}
