import { Worker } from 'node:worker_threads'
import { BatchReceiver } from './batch-post.ts'
import type { FromWorker, ToWorker, WorkerStart, WorkerStats } from './worker-message.ts'
import { NO_STATS } from './worker-stats.ts'

/** What the agent is told of one of its capture threads. */
export interface ThreadEvents {
  receive(thread: CaptureThread, message: FromWorker): void
  /** It threw, or ended without a word. */
  broken(thread: CaptureThread, message: string): void
}

/** One capture worker as the main thread sees it: its messages, its batches, its last figures. */
export class CaptureThread {
  readonly batches = new BatchReceiver()
  stats: WorkerStats = NO_STATS
  isAttached = false
  /** It told its last figures. */
  isFinished = false
  /** When the thread is gone, however it ended. */
  readonly ended: Promise<void>
  readonly #worker: Worker

  constructor(start: WorkerStart, events: ThreadEvents) {
    this.#worker = new Worker(new URL('worker.ts', import.meta.url), {
      workerData: start,
      // What the record path allocates dies at once: a small nursery costs no more and stays resident less.
      resourceLimits: { maxYoungGenerationSizeMb: 6 },
    })
    this.#worker.on('message', (message: FromWorker) => { events.receive(this, message) })
    this.#worker.on('error', (error) => { events.broken(this, error.message) })
    const ended = Promise.withResolvers<void>()
    this.ended = ended.promise
    this.#worker.on('exit', (code) => {
      ended.resolve()
      if (!this.isFinished) events.broken(this, `the capture thread ended (${code}) before it was told to`)
    })
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  /** Ends it at once, whatever it holds. */
  terminate(): void {
    void this.#worker.terminate()
  }
}
