/**
 * Nanoseconds per exchange of the whole record path, in memory: `node bench/pipeline.ts CAPTURE`.
 *
 * The capture's packets are taken apart once; then their events are worked ROUNDS times, in the same batches of 256 KiB, with
 * fresh connections each round. The figure is the sum, over the batches, of each one's best time: other work on the machine
 * does not count; the mean shows what it costs beside other work. One row without records, one to finished lines.
 *
 * @module
 */
import { ByteMemory } from '../lib/bytes/mod.ts'
import { FileSource } from '../src/capture/file/mod.ts'
import { RECORD_BYTES_MAX } from '../src/capture/mod.ts'
import { defaultConfig } from '../src/config.ts'
import type { Config } from '../src/config.ts'
import { MadeSource } from '../src/connection/testing/made-source.ts'
import { Pipeline } from '../src/pipeline.ts'
import { Wall } from '../src/privacy/wall.ts'

const ROUNDS = 20
/** Rounds that warm up; the mean is over the others. */
const WARM_UP = 5
const EVENTS_BYTES = 48 * 1024 * 1024
const STEP_BYTES = 256 * 1024

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: node bench/pipeline.ts CAPTURE')

const memory = new ByteMemory({ imports: Wall.imports() })
const base = defaultConfig()
const wall = new Wall(memory, base.privacy, base)
const events = memory.reserve(EVENTS_BYTES)

/** Where each step's events begin; the last is the end. */
function read(): number[] {
  const source = new FileSource(memory, file!)
  const starts = [0]
  for (let at = 0; at + RECORD_BYTES_MAX + STEP_BYTES < EVENTS_BYTES;) {
    const length = source.fill(events + at, STEP_BYTES)
    if (length === 0) break
    at += length
    starts.push(at)
  }
  source.close()
  return starts
}

const starts = read()

/** Gives the events in memory, step by step. */
class Replayed extends MadeSource {
  readonly name = file!
  step = 0
  get ended(): boolean { return this.step === starts.length - 1 }
  fill(pointer: number): number {
    if (this.ended) return 0
    const from = starts[this.step++]!
    const to = starts[this.step]!
    memory.u8.copyWithin(pointer, events + from, events + to)
    return to - from
  }
}

function measure(name: string, config: Config): void {
  const pipeline = new Pipeline(memory, wall, config, [undefined], new Replayed(), (batch) => {
    pipeline.recycle(batch.bytes.buffer as SharedArrayBuffer)
  })
  const best = new Float64Array(starts.length - 1).fill(Infinity)
  let all = 0
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) pipeline.next(config, new Replayed())
    for (let step = 0; step < best.length; step++) {
      const start = performance.now()
      pipeline.step()
      const ms = performance.now() - start
      best[step] = Math.min(best[step]!, ms)
      if (round >= WARM_UP) all += ms
    }
  }
  const exchanges = pipeline.counts.seen / ROUNDS
  const total = best.reduce((sum, ms) => sum + ms, 0)
  const mean = all / (ROUNDS - WARM_UP)
  const ns = (ms: number): string => ((ms * 1e6) / exchanges).toFixed(0)
  console.log(`${name.padEnd(30)} ${ns(total).padStart(6)} ns an exchange, mean ${ns(mean)} (${exchanges.toFixed(0)} exchanges a round)`)
}

measure('packets to exchanges', { ...base, kinds: [] })
measure('packets to lines of JSON', base)
