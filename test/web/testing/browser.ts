import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
/** On a busy machine a page takes its time. */
const WAIT_MS = 60_000

/** Whether there is a browser. Without it the test is skipped with a notice, except with CI=true, where missing means failed. */
export function hasBrowser(context: TestContext): boolean {
  if (existsSync(CHROMIUM)) return true
  const notice = `Cannot find a browser in "${CHROMIUM}": run tools/setup.sh test`
  if (process.env['CI'] === 'true') throw new Error(notice)
  context.skip(notice)
  return false
}

interface Evaluated<Value> {
  readonly result: { readonly value: Value }
  readonly exceptionDetails?: { readonly exception?: { readonly description?: string }, readonly text: string }
}

/** A page in Debian's Chromium, driven by Playwright. */
export class BrowserPage {
  /** What the console showed as an error or warning, what was thrown, and what the policy refused. */
  readonly troubles: string[] = []
  readonly page: Page
  readonly #browser: Browser
  readonly #devtools: CDPSession

  private constructor(browser: Browser, page: Page, devtools: CDPSession) {
    this.#browser = browser
    this.page = page
    this.#devtools = devtools
    page.on('pageerror', error => { this.troubles.push(`thrown: ${error.stack ?? error.message}`) })
    page.on('console', message => {
      if (['error', 'warning', 'assert'].includes(message.type())) this.troubles.push(`console: ${message.text()} ${message.location().url}`)
    })
    devtools.on('Audits.issueAdded', ({ issue }) => {
      if (issue.code === 'ContentSecurityPolicyIssue') this.troubles.push(`policy: ${JSON.stringify(issue)}`)
    })
  }

  static async start(): Promise<BrowserPage> {
    const browser = await chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: false, args: ['--disable-dev-shm-usage', '--no-first-run'] })
    const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } })
    page.setDefaultTimeout(WAIT_MS)
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Audits.enable')
    return new BrowserPage(browser, page, devtools)
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url, { waitUntil: 'load' })
  }

  /** The value of an expression; a promise is waited for. Playwright's own would run with the page's policy lifted. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const given = { expression, returnByValue: true, awaitPromise: true, allowUnsafeEvalBlockedByCSP: false }
    const { result, exceptionDetails: thrown } = await this.#devtools.send('Runtime.evaluate', given) as Evaluated<Value>
    if (thrown !== undefined) throw new Error(`${expression}: ${thrown.exception?.description ?? thrown.text}`)
    return result.value
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
    await this.page.keyboard.press(key === ' ' ? 'Space' : key)
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.insertText(text)
  }

  async close(): Promise<void> {
    await this.#browser.close()
  }
}
