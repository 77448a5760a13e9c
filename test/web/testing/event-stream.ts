import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'

/** A stream of server-sent events, read until closed. */
export class EventStream {
  readonly lines: string[] = []
  missed = 0
  starts = 0
  readonly response: IncomingMessage
  #rest = ''

  private constructor(response: IncomingMessage, reads: boolean) {
    this.response = response
    response.setEncoding('utf8')
    response.on('error', () => {}) // closed by the test
    if (reads) response.on('data', (text: string) => { this.#take(text) })
  }

  /** @param reads false = a browser that stops reading its stream */
  static async open(url: string, cookie: string, reads = true): Promise<EventStream> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, { headers: { cookie, accept: 'text/event-stream' }, agent: false }, resolve).on('error', reject).end()
    })
    if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode}`)
    return new EventStream(response, reads)
  }

  /** Starts to read, of one that did not. */
  read(): void {
    this.response.on('data', (text: string) => { this.#take(text) })
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + 20_000
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`never came: ${what}; ${this.lines.length} lines, ${this.missed} missed`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  close(): void {
    this.response.destroy()
  }

  #take(text: string): void {
    const events = (this.#rest + text).split('\n\n')
    this.#rest = events.pop() as string
    for (const event of events) {
      const name = /^event: (\w+)$/m.exec(event)?.[1]
      const data = [...event.matchAll(/^data: (.*)$/gm)].map(match => match[1] as string)
      if (name === 'start') this.starts++
      if (name === 'records') this.lines.push(...data)
      if (name === 'missed') this.missed += Number(data[0])
    }
  }
}
