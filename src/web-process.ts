/**
 * The process of the page: see src/sink/web/page-handle.ts. A process and not a thread, because it answers browsers and runs
 * DuckDB: whatever becomes of it, the capture goes on, and it works at a low priority.
 *
 * In: `PageProcessOptions` as JSON in the first argument, `ToPage` by the channel, NDJSON by standard input. Out: `FromPage`. Ends when
 * the channel closes.
 *
 * @module
 */
import { setPriority } from 'node:os'
import { FIELDS } from './exchange/fields.ts' // not by mod.ts: this process does without the stage
import type { FromPage, PageAccess, PageProcessOptions, PageShown, ToPage } from './sink/web/page-message.ts'
import { columnsOf } from './store/mod.ts'
import { PageServer, pageSource } from './web/mod.ts'

const PRIORITY = 10
/** What is read of the records in a slice of time: with pages that follow, and without. The rest stays with the agent, which counts it. */
const SLICE_MS = 100
const FOLLOWED_BYTES = 800 * 1024
const ALONE_BYTES = 64 * 1024

process.umask(0o077)
try {
  setPriority(PRIORITY) // before there is a thread to work for DuckDB: those started later inherit it
} catch {
  // It then works at the agent's priority.
}

let server: PageServer | undefined
let sliceStart = 0
let read = 0

function tell(message: FromPage): void {
  process.send?.(message)
}

async function start(access: PageAccess, { prices, store }: PageShown): Promise<void> {
  const options = JSON.parse(process.argv[2] as string) as PageProcessOptions
  try {
    server = new PageServer({
      ...options, access, prices, fields: FIELDS, isLive: true, ...(store === undefined ? {} : { source: pageSource(store, columnsOf(FIELDS)) }),
      log: (level, message) => { tell({ type: 'log', level, message }) },
    })
    tell({ type: 'listening', url: await server.start() })
    process.stdin.on('data', take)
  } catch (error) {
    tell({ type: 'failed', message: (error as Error).message })
    process.disconnect()
  }
}

/** A page shows what a person can follow; a gateway at full load would keep this process busy for nothing. */
function take(chunk: Buffer): void {
  const now = performance.now()
  if (now - sliceStart >= SLICE_MS) {
    sliceStart = now
    read = 0
  }
  server?.live?.take(chunk)
  read += chunk.length
  if (read < ((server?.live?.clients ?? 0) > 0 ? FOLLOWED_BYTES : ALONE_BYTES)) return
  process.stdin.pause()
  setTimeout(() => { process.stdin.resume() }, sliceStart + SLICE_MS - now)
}

async function stop(): Promise<void> {
  await server?.stop()
  process.exit(0)
}

// A signal to the whole group (Ctrl-C, a service that is stopped) is the agent's to answer: it closes the channel when the run is over.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => { void stop() })
process.on('message', (message: ToPage) => {
  if (message.type === 'start') void start(message.access, message.shown)
  else if (message.type === 'health') server?.tell(message.health)
  else server?.live?.missed(message.count)
})
