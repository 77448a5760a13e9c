import { Worker } from 'node:worker_threads'

import { INPUT_WAIT, type ByteInput } from './byte-input.ts'
import type { FileInput } from './file-input.ts'
import { CHANNEL_STATE, HEAD_BYTES, RING_BYTES, WORD } from './inflate-channel.ts'
import type { COMPRESSION, InflateJob } from './inflate-channel.ts'

/** A thread that starts and inflates 64 KiB needs milliseconds; this is for a machine that has stalled. */
const SILENCE_MILLISECONDS = 30_000

/**
 * A compressed file, inflated by a thread of its own: node's streaming zlib has promises and callbacks only,
 * a reader must not, and no raw packet may lie in a temporary file. Bound: 512 KiB of inflated bytes in
 * flight, so a file that inflates to any size costs no more.
 */
export class InflateInput implements ByteInput {
  readonly name: string
  readonly size = undefined
  readonly #file: FileInput
  readonly #head: Int32Array
  readonly #ring: Uint8Array
  readonly #worker: Worker
  #damage: ByteInput['damage']

  constructor(file: FileInput, compression: COMPRESSION, prefix: Uint8Array) {
    this.name = file.name
    this.#file = file
    const channel = new SharedArrayBuffer(HEAD_BYTES + RING_BYTES)
    this.#head = new Int32Array(channel, 0, HEAD_BYTES / 4)
    this.#ring = new Uint8Array(channel, HEAD_BYTES, RING_BYTES)
    const job: InflateJob = { channel, descriptor: file.descriptor, compression, prefix }
    this.#worker = new Worker(new URL('./inflate-worker.ts', import.meta.url), {
      workerData: job,
      execArgv: [],
      // Of its own, or each thread would hang listeners on the process's.
      stdout: true,
      stderr: true,
    })
    // A thread that dies is met as silence or an early end by read(); an unheard 'error' would throw at the
    // loop.
    this.#worker.on('error', () => this.#fail(CHANNEL_STATE.DAMAGED))
    this.#worker.unref()
  }

  get damage(): ByteInput['damage'] {
    return this.#damage
  }

  read(bytes: Uint8Array, at: number, length: number): number {
    const head = this.#head
    const deadline = performance.now() + SILENCE_MILLISECONDS
    for (;;) {
      const tick = Atomics.load(head, WORD.WRITER_TICK)
      const state = Atomics.load(head, WORD.STATE)
      const taken = Atomics.load(head, WORD.READ)
      const ready = (Atomics.load(head, WORD.WRITTEN) - taken) >>> 0
      if (ready > 0) return this.#take(bytes, at, Math.min(ready, length), taken)
      if (state !== CHANNEL_STATE.OPEN) return this.#end(state)
      // A pipe's writer may rest for hours, so waiting for it is not the thread's silence.
      const isPipe = this.#file.size === undefined
      if (Atomics.wait(head, WORD.WRITER_TICK, tick, isPipe ? 20 : 1000) !== 'timed-out') continue
      if (isPipe) return INPUT_WAIT
      if (performance.now() > deadline) {
        this.#damage = 'compression_silent'
        return 0
      }
    }
  }

  close(): void {
    Atomics.store(this.#head, WORD.STATE, CHANNEL_STATE.CLOSED)
    Atomics.add(this.#head, WORD.READER_TICK, 1)
    Atomics.notify(this.#head, WORD.READER_TICK)
    // The thread may be inside read(2): the descriptor is closed when it has gone, or its number could be
    // another's.
    void this.#worker.terminate().then(() => this.#file.close())
  }

  #take(bytes: Uint8Array, at: number, count: number, taken: number): number {
    const from = (taken >>> 0) % RING_BYTES
    const length = Math.min(count, RING_BYTES - from)
    bytes.set(this.#ring.subarray(from, from + length), at)
    Atomics.store(this.#head, WORD.READ, (taken + length) | 0)
    Atomics.add(this.#head, WORD.READER_TICK, 1)
    Atomics.notify(this.#head, WORD.READER_TICK)
    return length
  }

  #end(state: number): number {
    if (state === CHANNEL_STATE.DAMAGED) this.#damage = 'compression_damaged'
    if (state === CHANNEL_STATE.READ_FAILED) this.#damage = 'read_failed'
    return 0
  }

  #fail(state: CHANNEL_STATE): void {
    Atomics.compareExchange(this.#head, WORD.STATE, CHANNEL_STATE.OPEN, state)
  }
}
