import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import WebSocket from 'ws'

const CHROMIUM = '/usr/bin/chromium'
const WAIT_MS = 20_000

/** Whether there is a browser. Without it the test is skipped with a notice, except with CI=true, where missing means failed. */
export function hasBrowser(context: TestContext): boolean {
  if (existsSync(CHROMIUM)) return true
  const notice = `Cannot find a browser in "${CHROMIUM}": run tools/setup.sh test`
  if (process.env['CI'] === 'true') throw new Error(notice)
  context.skip(notice)
  return false
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly sessionId?: string
  readonly params?: { readonly entry?: { readonly text: string, readonly level: string, readonly url?: string }, readonly exceptionDetails?: unknown,
    readonly type?: string, readonly args?: readonly { readonly value?: unknown, readonly description?: string }[],
    readonly issue?: { readonly code: string } }
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** A page in Debian's Chromium, driven by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/). */
export class BrowserPage {
  /** What the console showed as an error or warning, what was thrown, and what the policy refused. */
  readonly troubles: string[] = []
  readonly #process: ChildProcess
  readonly #socket: WebSocket
  readonly #folder: string
  readonly #answers = new Map<number, { resolve: (value: unknown) => void, reject: (error: Error) => void }>()
  #count = 0
  #session = ''

  private constructor(process: ChildProcess, socket: WebSocket, folder: string) {
    this.#process = process
    this.#socket = socket
    this.#folder = folder
    socket.on('message', data => { this.#receive(JSON.parse(String(data)) as Message) })
  }

  static async start(): Promise<BrowserPage> {
    const folder = mkdtempSync(join(tmpdir(), 'lintel-chromium-'))
    const child = spawn(CHROMIUM, ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--window-size=1400,1000', '--remote-debugging-port=0',
      `--user-data-dir=${folder}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'], env: { HOME: folder, PATH: process.env['PATH'] ?? '' } })
    const address = await new Promise<string>((resolve, reject) => {
      let said = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text
        const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1]
        if (found !== undefined) resolve(found)
      })
      child.once('exit', code => { reject(new Error(`the browser ended (${code}): ${said}`)) })
    })
    const socket = new WebSocket(address)
    await new Promise((resolve, reject) => { socket.once('open', resolve).once('error', reject) })
    const page = new BrowserPage(child, socket, folder)
    const { targetId } = await page.#call('Target.createTarget', { url: 'about:blank' }) as { targetId: string }
    const { sessionId } = await page.#call('Target.attachToTarget', { targetId, flatten: true }) as { sessionId: string }
    page.#session = sessionId
    for (const domain of ['Page', 'Runtime', 'Log', 'Audits']) await page.#call(`${domain}.enable`)
    return page
  }

  async open(url: string): Promise<void> {
    await this.#call('Page.navigate', { url })
    await this.until('document.readyState === "complete"')
  }

  /** The value of an expression; a promise is waited for. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const answer = await this.#call('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true, allowUnsafeEvalBlockedByCSP: false }) as
      { result: { value: Value }, exceptionDetails?: { exception?: { description?: string }, text: string } }
    if (answer.exceptionDetails !== undefined) throw new Error(`${expression}: ${answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text}`)
    return answer.result.value
  }

  async until(condition: string): Promise<void> {
    const deadline = performance.now() + WAIT_MS
    for (;;) {
      // While a page is left for another there is nothing to ask.
      if (await this.evaluate<boolean>(`Boolean(${condition})`).catch(() => false)) return
      if (performance.now() > deadline) {
        const text = await this.evaluate<string>('document.body.innerText').catch(() => '')
        throw new Error(`never came true: ${condition}; the page says: ${text.slice(0, 2000)}; ${this.troubles.join('; ')}`)
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  /** A key as a person presses it: `Enter`, `/`, `ArrowDown`, ... */
  async press(key: string): Promise<void> {
    const text = key.length === 1 ? { text: key } : key === 'Enter' ? { text: '\r' } : {}
    const code = { Enter: 13, Tab: 9, Escape: 27, ArrowDown: 40, ArrowUp: 38 }[key]
    const given = { key, ...text, ...(code === undefined ? {} : { windowsVirtualKeyCode: code }) }
    await this.#call('Input.dispatchKeyEvent', { type: 'keyDown', ...given })
    await this.#call('Input.dispatchKeyEvent', { type: 'keyUp', ...given })
  }

  async type(text: string): Promise<void> {
    await this.#call('Input.insertText', { text })
  }

  async screenshot(path: string): Promise<void> {
    const { data } = await this.#call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true }) as { data: string }
    writeFileSync(path, Buffer.from(data, 'base64'))
  }

  async close(): Promise<void> {
    const gone = new Promise<void>(resolve => { this.#process.once('exit', () => { resolve() }) })
    await this.#call('Browser.close').catch(() => {})
    this.#socket.close()
    const timer = setTimeout(() => { this.#process.kill('SIGKILL') }, 5000)
    await gone
    clearTimeout(timer)
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  async #call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#count
    const answer = new Promise((resolve, reject) => { this.#answers.set(id, { resolve, reject }) })
    this.#socket.send(JSON.stringify({ id, method, params, ...(this.#session === '' ? {} : { sessionId: this.#session }) }))
    return await answer
  }

  #receive({ id, method, params, result, error }: Message): void {
    if (id !== undefined) {
      const waiting = this.#answers.get(id)
      this.#answers.delete(id)
      if (error === undefined) waiting?.resolve(result)
      else waiting?.reject(new Error(error.message))
    } else if (method === 'Runtime.exceptionThrown') this.troubles.push(`thrown: ${JSON.stringify(params?.exceptionDetails)}`)
    else if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params?.type ?? '')) {
      this.troubles.push(`console: ${params?.args?.map(({ value, description }) => String(value ?? description)).join(' ')}`)
    } else if (method === 'Log.entryAdded' && params?.entry !== undefined && params.entry.level !== 'info' && params.entry.level !== 'verbose') {
      this.troubles.push(`log: ${params.entry.text} ${params.entry.url ?? ''}`)
    } else if (method === 'Audits.issueAdded' && params?.issue?.code === 'ContentSecurityPolicyIssue') {
      this.troubles.push(`policy: ${JSON.stringify(params.issue)}`)
    }
  }
}
