import type { Answer, Exporter } from './exporter.ts'

/**
 * What the default export of an exporter of the user's own is: docs/exporters.md. All that it needs is here and in exporter.ts.
 */
export interface OwnExporter {
  /** 1 to 32 of a-z, 0-9, ".", "_" and "-"; for messages and metrics. */
  readonly name: string
  /**
   * Makes the exporter. Called when the configuration is checked, too, and then closed again: it connects to nothing yet.
   *
   * @param options `options` of the output, as they stand in the config file; undefined when there are none
   * @throws {Error} that says what is wrong with them and the mend, e.g. `url must be an address`
   */
  open(options: unknown, tools: ExporterTools): Exporter
}

/** What Lintel does for an exporter of the user's own. */
export interface ExporterTools {
  /**
   * A secret by its source, `{env: NAME}` or `{file: PATH}`. It is taken out of every message about this output.
   *
   * @throws {Error} with the mend
   */
  secret(source: unknown): string
  /**
   * A client for HTTP and HTTPS, with the keys of all outputs that speak it: url, auth, headers, tls, proxy, compression, timeout.
   *
   * @throws {Error} with the mend, for keys that are wrong or unknown
   */
  http(options: unknown): HttpClient
}

export interface HttpClient {
  /** The server's host, for `Exporter.target`. */
  readonly target: string
  /** Never rejects: where no answer comes, `said` says so. */
  post(post: HttpPost, signal: AbortSignal): Promise<HttpReply>
  close(): void
}

export interface HttpPost {
  /** Put behind the path of the url; may have a query. */
  readonly path?: string
  readonly type: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface HttpReply {
  /** What the status means: 2xx done; 400, 409, 413, 422 apart; else later. */
  readonly answer: Answer
  /** Undefined when no whole answer came. */
  readonly said?: { readonly status: number, readonly body: Buffer }
}
