import { emitKeypressEvents } from 'node:readline'
import { PrettySink, type SafeBatch, type Sink, type SinkHealth, type SinkHost } from '../src/sink/mod.ts'
import { configFrom, durationFrom } from './flag-config.ts'
import type { CaptureFlags, OutputFlags } from './flags.ts'
import { requireInterfaces } from './interfaces.ts'
import { requireDecoders } from './decoders.ts'
import { Screen } from './screen.ts'
import { session } from './session.ts'
import { Summary } from './summary.ts'

/** `lintel watch`: readable lines; on a terminal the keys t (summary), space (pause), q (quit). */
export async function watch(flags: CaptureFlags & OutputFlags): Promise<void> {
  const read = () => {
    const config = configFrom(flags)
    // Standard output belongs to the lines that are watched.
    return { ...config, outputs: config.outputs.filter(output => output.type === 'file') }
  }
  const config = read()
  requireInterfaces(config.capture.interfaces)
  requireDecoders(config.decoders)
  const quit = new AbortController()
  const summary = new Summary()
  let view: View | undefined
  await session({
    config, reread: read, durationMs: durationFrom(flags), readyFile: flags.readyFile, metricsAsked: flags.metrics !== undefined,
    outputs: [host => {
      const sink = new WatchSink(host, summary)
      view = new View(sink, summary, () => quit.abort())
      return sink
    }],
    quit: quit.signal,
    started: attachments => view?.start(attachments.map(({ where }) => where).join(', ')),
    ending: () => view?.stop(),
  })
}

/** Lines for the terminal, and the same records for the summary. */
class WatchSink implements Sink {
  readonly name = 'watch'
  readonly pretty: PrettySink
  readonly #summary: Summary

  constructor(host: SinkHost, summary: Summary) {
    this.pretty = new PrettySink(host)
    this.#summary = summary
  }

  write(batch: SafeBatch): void {
    // First: when the lines are written the batch is settled, and its bytes are no longer ours to read.
    this.#summary.add(batch)
    this.pretty.write(batch)
  }

  flush(): Promise<void> {
    return this.pretty.flush()
  }

  close(): Promise<void> {
    return this.pretty.close()
  }

  health(): SinkHealth {
    return this.pretty.health()
  }
}

interface Key {
  readonly name?: string
  readonly ctrl?: boolean
}

/** Keys, and which of the two views is shown. */
class View {
  readonly #sink: WatchSink
  readonly #summary: Summary
  readonly #quit: () => void
  readonly #screen = new Screen(process.stdout)
  #timer: NodeJS.Timeout | undefined
  #where = ''
  #paused = false
  #keys = false

  constructor(sink: WatchSink, summary: Summary, quit: () => void) {
    this.#sink = sink
    this.#summary = summary
    this.#quit = quit
  }

  start(where: string): void {
    this.#where = where
    if (!process.stdin.isTTY || !process.stdout.isTTY) return
    this.#keys = true
    emitKeypressEvents(process.stdin)
    process.stdin.setRawMode(true)
    process.stdin.on('keypress', this.#onKey)
    process.stdin.resume()
    process.stderr.write(`lintel: watching ${where}; t summary, space pause, q quit\n`)
  }

  stop(): void {
    this.#leaveSummary()
    if (!this.#keys) return
    process.stdin.off('keypress', this.#onKey)
    process.stdin.setRawMode(false)
    process.stdin.pause()
  }

  readonly #onKey = (_text: string | undefined, key: Key): void => {
    // In raw mode Ctrl-C is a key like others; it must still end the program.
    if (key.name === 'q') this.#quit()
    else if (key.ctrl === true && key.name === 'c') process.kill(process.pid, 'SIGINT')
    else if (key.name === 'space') this.#pause(!this.#paused)
    else if (key.name === 't') this.#toggleSummary()
  }

  #pause(paused: boolean): void {
    this.#paused = paused
    if (this.#timer === undefined) this.#sink.pretty.paused = paused
  }

  #toggleSummary(): void {
    if (this.#timer !== undefined) return this.#leaveSummary()
    this.#sink.pretty.paused = true
    this.#screen.enter()
    this.#draw()
    this.#timer = setInterval(() => { if (!this.#paused) this.#draw() }, 1000)
  }

  #leaveSummary(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#screen.leave()
    this.#sink.pretty.paused = this.#paused
  }

  #draw(): void {
    // A serial line and many containers have a terminal of 0 by 0.
    const { columns, rows } = process.stdout
    this.#screen.draw(this.#summary.lines(this.#where, columns || 80, rows || 24))
  }
}
