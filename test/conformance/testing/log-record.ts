/** A record as a reader of the log sees it; only the fields that the tests here look at. */
export interface LogRecord {
  readonly kind: 'exchange' | 'connection' | 'packet' | 'anomaly' | 'websocket' | 'handshake'
  readonly time: string
  readonly duration?: number
  readonly time_to_first_byte?: number
  readonly event: { readonly sequence: number; readonly name?: string; readonly count?: number }
  readonly client?: { readonly address: string; readonly port: number }
  readonly server?: { readonly address: string; readonly port: number }
  readonly network?: { readonly protocol?: { readonly name: string; readonly version?: string }; readonly connection?: { readonly id: number } }
  readonly url?: { readonly scheme?: string; readonly domain?: string; readonly path?: string; readonly query?: string }
  readonly http?: {
    readonly request?: {
      readonly method?: string
      readonly method_original?: string
      readonly header?: HeaderMap
      readonly depth: number
      readonly body?: { readonly size?: number }
    }
    readonly response?: {
      readonly status_code?: number
      readonly header?: HeaderMap
      readonly body?: { readonly size?: number }
      readonly interim_status_codes?: readonly number[]
    }
  }
  readonly tls?: {
    readonly protocol?: { readonly name: string; readonly version: string }
    readonly cipher?: string
    readonly curve?: string
    readonly next_protocol?: string
    readonly resumed?: boolean
    readonly client?: { readonly server_name?: string; readonly alpn?: readonly string[]; readonly ja4?: string; readonly ech?: boolean }
    readonly server?: { readonly subject?: string; readonly issuer?: string; readonly not_after?: string }
  }
  readonly websocket?: {
    readonly subprotocol?: string
    readonly extensions?: string
    readonly close_code?: number
    readonly close_reason?: string
    readonly closed_by?: 'client' | 'server'
    readonly client: WebSocketSide
    readonly server: WebSocketSide
  }
  readonly anomalies?: readonly string[]
  readonly marks?: Readonly<Record<string, string>>
}

export interface WebSocketSide {
  readonly messages: number
  readonly compressed_messages?: number
  readonly frames: number
  readonly bytes: number
  readonly pings: number
  readonly pongs: number
}

/** Lower-case name to values in order of arrival. */
export type HeaderMap = Readonly<Record<string, readonly string[]>>
