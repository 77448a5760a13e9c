import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createSecureContext } from 'node:tls'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import type { FilterField, PageAccess, PageProcessOptions, Prices } from '../sink/mod.ts'
import type { RecordSource } from '../store/mod.ts'
import { type Asset, pageStyle, readAssets } from './assets.ts'
import { Audit } from './audit.ts'
import { addDoor } from './door.ts'
import { guard, ownNames, type PageEnvironment } from './guard.ts'
import { ICON_SVG, PAGE_HTML } from './html.ts'
import { addLiveApi } from './live-api.ts'
import { checkFilter, LiveTail } from './live-tail.ts'
import { Sessions } from './sessions.ts'
import { addStoreApi } from './store-api.ts'
import { StoreDesk } from './store-desk.ts'
import { NO_PRICES } from './prices.ts'
import type { View } from './view.ts'
import { aiViews } from './views/ai-calls.ts'
import { VIEWS } from './views/registry.ts'

export interface PageField extends FilterField {
  readonly doc: string
}

export interface PageOptions extends PageProcessOptions {
  readonly access: PageAccess
  readonly fields: readonly PageField[]
  /** None = the page has no views over time. */
  readonly source?: RecordSource
  /** True where an agent hands over what it logs. */
  readonly isLive?: boolean
  /** What models of AI calls cost; none = no costs are shown. */
  readonly prices?: Prices | undefined
  /** Lines for people and the audit. */
  log(level: 'warn' | 'info', message: string): void
}

const CONNECTIONS_MAX = 128
const TIMEOUT_MS = 10_000
/** Paths that are the page: each view has an address of its own. */
const PAGES = ['/', '/live', '/overview', '/records', '/exchange', '/routes', '/inventory', '/consumers', '/connections', '/ai-calls',
  '/health'] as const

/** The page's server: see mod.ts. */
export class PageServer {
  readonly #options: PageOptions
  readonly #server: Server
  readonly #desk: StoreDesk | undefined
  readonly #prices: Prices
  readonly #views: readonly View[]
  /** What is logged now; missing where nobody hands it over. */
  readonly live: LiveTail | undefined
  #health: unknown
  readonly #scheme: 'http' | 'https'
  #port = 0

  constructor(options: PageOptions) {
    this.#options = options
    this.#prices = options.prices ?? NO_PRICES
    this.#views = [...VIEWS, ...aiViews(this.#prices)]
    this.#scheme = options.tls === undefined ? 'http' : 'https'
    this.live = options.isLive === true ? new LiveTail(options.fields) : undefined
    this.#desk = options.source === undefined ? undefined : new StoreDesk(options.source)
    const limits = { requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, keepAliveTimeout: TIMEOUT_MS }
    const shared = { fetch: this.#app().fetch, hostname: options.host, overrideGlobalObjects: false }
    this.#server = createAdaptorServer(options.tls === undefined ? { ...shared, createServer, serverOptions: limits }
      : { ...shared, createServer: createTlsServer, serverOptions: { ...limits, handshakeTimeout: TIMEOUT_MS, ...tlsFiles(options.tls) } }) as Server
    this.#server.maxConnections = CONNECTIONS_MAX
  }

  /** @returns `http://127.0.0.1:9465`. @throws {Error} with the mend */
  async start(): Promise<string> {
    const { host, port } = this.#options
    const shown = host.includes(':') ? `[${host}]` : host
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        reject(new Error(`Cannot serve the page on ${shown}:${port}: ${reasonOf(error)}`, { cause: error }))
      })
      this.#server.listen({ host, port }, resolve)
    })
    const address = this.#server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : port
    return `${this.#scheme}://${shown}:${this.#port}`
  }

  /** The agent's figures as they are now. */
  tell(health: unknown): void {
    this.#health = health
  }

  async stop(): Promise<void> {
    this.live?.close()
    const closed = new Promise<void>(resolve => { this.#server.close(() => { resolve() }) })
    this.#server.closeAllConnections()
    await closed
    await this.#desk?.close()
  }

  #app(): Hono<PageEnvironment> {
    const { access, host, fields, names = [] } = this.#options
    const app = new Hono<PageEnvironment>()
    const audit = new Audit(line => { this.#options.log('info', line) })
    app.onError((error, context) => {
      this.#options.log('warn', `page: ${error.message}`)
      return context.text('Cannot answer: see what Lintel says on standard error\n', 500)
    })
    app.use(guard(() => ownNames(this.#scheme, host, this.#port, names)))
    // What is in the project's repository anyway; the form needs its style.
    app.get('/icon.svg', context => context.body(ICON_SVG, 200, { 'content-type': 'image/svg+xml' }))
    const style = pageStyle()
    app.get('/page/page.css', context => context.body(style.body, 200, { 'content-type': style.type }))
    addDoor(app, { sessions: new Sessions(access), audit, port: () => this.#port, isSecure: this.#scheme === 'https' })
    // At the first visit: taking types out of the modules loads a compiler, 26 MiB that a run without a visitor does without.
    let assets: ReadonlyMap<string, Asset> | undefined
    for (const path of ['/page/:name', '/lib/:name']) {
      app.get(path, (context, next) => {
        assets ??= readAssets()
        const asset = assets.get(context.req.path)
        return asset === undefined ? next() : context.body(asset.body, 200, { 'content-type': asset.type })
      })
    }
    for (const path of PAGES) app.get(path, context => context.html(PAGE_HTML))
    app.get('/api/about', context => context.json({ ...this.#about(), role: context.get('role') }))
    app.get('/api/health', context => context.json({ health: this.#health ?? null }))
    app.get('/api/filter', context => {
      try {
        checkFilter(context.req.query('filter') ?? '', fields)
        return context.json({})
      } catch (error) {
        return context.json({ error: (error as Error).message }, 400)
      }
    })
    if (this.live !== undefined) addLiveApi(app, this.live, audit)
    if (this.#desk !== undefined) addStoreApi(app, this.#desk, audit, { views: this.#views, prices: this.#prices })
    app.notFound(context => context.text('There is nothing here\n', 404))
    return app
  }

  #about(): object {
    const { version, fields, source } = this.#options
    return {
      version, hasStore: source !== undefined, isLive: this.live !== undefined,
      fields: fields.map(({ name, type, doc }) => ({ name, type, doc })),
      hasPrices: this.#prices.models.length > 0,
      views: this.#views.map(({ name, title, columns, narrow }) => ({ name, title, columns, ...(narrow === undefined ? {} : { narrow }) })),
    }
  }
}

/** @throws {Error} that names the file */
function tlsFiles({ certificate, key }: { readonly certificate: string, readonly key: string }): { cert: Buffer, key: Buffer } {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path)
    } catch (error) {
      throw new Error(`Cannot serve the page by HTTPS: ${(error as Error).message}; see web.tls of the config`, { cause: error })
    }
  }
  const files = { cert: read(certificate), key: read(key) }
  try {
    createSecureContext(files)
  } catch (error) {
    const why = `"${certificate}" and "${key}" are no certificate and its key as PEM (${(error as Error).message})`
    throw new Error(`Cannot serve the page by HTTPS: ${why}`, { cause: error })
  }
  return files
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return 'the port is in use, perhaps by another lintel; choose another with --web HOST:PORT'
  if (error.code === 'EACCES') return 'permission denied for this port; choose one above 1023'
  if (error.code === 'EADDRNOTAVAIL') return 'this machine has no such address; use 127.0.0.1'
  return error.message
}
