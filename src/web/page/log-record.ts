import type { Value } from './ask.ts'

/** A record as it was logged, as far as the page knows its shape. */
export interface LogRecord {
  readonly kind?: string
  readonly time?: string
  readonly duration?: number
  readonly time_to_first_byte?: number
  readonly event?: { readonly sequence?: number, readonly name?: string, readonly reason?: string }
  readonly client?: { readonly address?: string, readonly port?: number, readonly real_address?: string }
  readonly server?: { readonly address?: string, readonly port?: number, readonly process?: { readonly executable?: { readonly name?: string } } }
  readonly url?: { readonly scheme?: string, readonly domain?: string, readonly path?: string, readonly query?: string }
  readonly http?: {
    readonly request?: { readonly method?: string, readonly header?: Headers, readonly trailer?: Headers }
    readonly response?: {
      readonly status_code?: number, readonly reason_phrase?: string
      readonly header?: Headers, readonly trailer?: Headers, readonly interim_header?: Headers
    }
  }
  readonly network?: { readonly connection?: { readonly id?: number } }
  readonly tcp?: { readonly handshake_duration?: number }
  readonly rpc?: { readonly method?: string, readonly status_code?: string }
  readonly tls?: { readonly client?: { readonly server_name?: string } }
  readonly marks?: Readonly<Record<string, string>>
}

/** Values by name, names in the order in which they came. */
export type Headers = Readonly<Record<string, readonly string[]>>

/** What names a record in a store. */
export function addressOf(record: LogRecord): Readonly<Record<string, string>> {
  return { time: record.time ?? '', sequence: String(record.event?.sequence ?? '') }
}

export function keyOf(record: LogRecord): string {
  return `${record.time ?? ''}/${record.event?.sequence ?? ''}`
}

/** `14:03:59.123`, in this browser's zone. */
export function clock(record: LogRecord): string {
  const at = new Date(record.time ?? NaN)
  if (Number.isNaN(at.getTime())) return ''
  const two = (part: number): string => String(part).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

/** `GET`, or what else the record is of. */
export function verb(record: LogRecord): string {
  return record.http?.request?.method ?? record.kind ?? ''
}

/** The host that was asked for; where a record knows none, the server's address and port. */
export function host({ url, server }: LogRecord): string {
  if (url?.domain !== undefined) return url.domain
  if (server?.address === undefined) return ''
  const address = server.address.includes(':') ? `[${server.address}]` : server.address
  return server.port === undefined ? address : `${address}:${server.port}`
}

export function target(record: LogRecord): string {
  const { url } = record
  if (url?.path !== undefined) {
    return url.path + (url.query === undefined ? '' : `?${url.query}`) + (hasFailedCall(record) ? ` ${record.rpc?.status_code}` : '')
  }
  const { name, reason } = record.event ?? {}
  const event = [name, reason].filter(part => part !== undefined).join(': ')
  return [record.rpc?.method, record.tls?.client?.server_name, event].filter(part => part !== undefined && part !== '').join(' ')
}

/** gRPC says so behind a 200. */
function hasFailedCall({ rpc }: LogRecord): boolean {
  return rpc?.status_code !== undefined && rpc.status_code !== 'OK'
}

/** `s2` and so on, for colours; empty without a status. */
export function statusClass(record: LogRecord): string {
  if (hasFailedCall(record)) return 's5'
  const status = record.http?.response?.status_code
  return status === undefined ? '' : `s${Math.floor(status / 100)}`
}

/** All fields but the headers, names with dots, in the order of the record. */
export function plainFields(record: LogRecord): readonly (readonly [name: string, value: Value])[] {
  const fields: (readonly [string, Value])[] = []
  const walk = (value: Value, name: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || name === 'marks') {
      fields.push([name, value])
      return
    }
    for (const [key, inner] of Object.entries(value)) {
      const path = name === '' ? key : `${name}.${key}`
      if (!/\.(header|trailer|interim_header)$/.test(path)) walk(inner as Value, path)
    }
  }
  walk(record as Value, '')
  return fields
}
