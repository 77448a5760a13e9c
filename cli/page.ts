import type { AgentContract, Attachment } from '../src/agent-contract.ts'
import type { Config } from '../src/config.ts'
import { tlsFilesOf } from '../src/config/web.ts'
import { pageHealth } from '../src/page-health.ts'
import { type PageAccess, PageHandle, type Sink, type SinkHost, WebSink } from '../src/sink/mod.ts'
import { makeToken } from '../src/web/token.ts'
import { pageStoreOf } from './data-directory.ts'
import { say } from './exit.ts'
import { version } from './version.ts'

const TELL_MS = 1000

/** The users of the config, or a new token. */
export function accessOf(users: Config['web']['users']): PageAccess {
  return users.length > 0 ? { users } : { token: makeToken() }
}

/** What is printed: with the token, when that is the way in. */
export function linkOf(url: string, access: PageAccess): string {
  return 'token' in access ? `${url}/?token=${access.token}` : `${url}/`
}

/** The page of one run: its process, the sink that feeds it, the figures that it shows. */
export class RunPage {
  readonly #handle: PageHandle
  readonly #link: string
  #timer: NodeJS.Timeout | undefined

  private constructor(handle: PageHandle, link: string) {
    this.#handle = handle
    this.#link = link
  }

  /** @throws {Error} with the mend, when it cannot be served */
  static async start(config: Config): Promise<RunPage> {
    const { address, names, users } = config.web
    const options = { ...address, tls: tlsFilesOf(config.web), names, version: version() }
    const handle = new PageHandle(options, say)
    const access = accessOf(users)
    const url = await handle.start(access, { prices: config.web.prices, store: pageStoreOf(config) })
    return new RunPage(handle, linkOf(url, access))
  }

  readonly output = (host: SinkHost): Sink => new WebSink(host, this.#handle)

  /** Says where the page is, and tells it the agent's figures every second. */
  follow(agent: AgentContract, attachments: readonly Attachment[], hasStore: boolean): void {
    say('info', `page: ${this.#link}`)
    if (!hasStore) {
      say('info', 'the page shows live records only; with --output store:DIR, or store.engine: clickhouse, it shows them over time as well')
    }
    const tell = (): void => { this.#handle.tell(pageHealth(agent.stats(), attachments)) }
    tell()
    this.#timer = setInterval(tell, TELL_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#handle.stop()
  }
}
