/**
 * One flood under a memory cap, as the worker holds it, in a process whose resident memory is its own: FLOOD CONNECTIONS CAP. The
 * result is one line of JSON.
 *
 * @module
 */
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { defaultConfig } from '../../../src/config.ts'
import { MemoryCap } from '../../../src/memory-cap.ts'
import { Pipeline } from '../../../src/pipeline.ts'
import { Wall } from '../../../src/privacy/mod.ts'
import { FloodSource, isRealExchange } from './flood-source.ts'
import type { FloodName } from './flood-source.ts'

/** Steps of the flood between two looks of the worker, a second: some 64,000 new connections. */
const LOOK_STEPS = 1000
const TICK_STEPS = 100
const RESIDENT_STEPS = 50

export interface FloodResult {
  readonly kept: number
  readonly answered: number
  readonly residentMax: number
  readonly openMax: number
  readonly openAtEnd: number
}

const [name, count, cap] = [process.argv[2] as FloodName, Number(process.argv[3]), Number(process.argv[4])]
const memory = new ByteMemory({ imports: Wall.imports() })
const base = defaultConfig()
const source = new FloodSource(memory, name, count)
const config = { ...base, kinds: ['exchange' as const] }
let kept = 0
const pipeline = new Pipeline(memory, new Wall(memory, base.privacy, base), config, [undefined], source, ({ bytes }) => {
  for (const line of Buffer.from(bytes).toString('latin1').split('\n')) if (isRealExchange(line)) kept++
  pipeline.recycle(bytes.buffer as SharedArrayBuffer)
})
const memoryCap = new MemoryCap(cap, config.limits.connections)
let residentMax = 0
let openMax = 0
memoryCap.hold(pipeline, 0)
for (let step = 1, length = pipeline.step(); length > 0; step++, length = pipeline.step()) {
  const now = step / LOOK_STEPS * 1000
  memoryCap.pass(pipeline, length, now)
  if (step % TICK_STEPS === 0) pipeline.tick(source.time)
  openMax = Math.max(openMax, pipeline.connectionsOpen)
  if (step % RESIDENT_STEPS === 0) residentMax = Math.max(residentMax, process.memoryUsage.rss())
  if (step % LOOK_STEPS === 0) memoryCap.hold(pipeline, now)
}
const openAtEnd = pipeline.connectionsOpen
pipeline.close()
console.log(JSON.stringify({ kept, answered: source.answered, residentMax, openMax, openAtEnd } satisfies FloodResult))
