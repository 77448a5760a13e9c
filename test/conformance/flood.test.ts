/**
 * Floods of connections beside real traffic, through the stages of a capture worker: SYNs, connections that send a byte and no more,
 * connections that send a piece of a head. The tables stay in their bounds, what the bounds cost is counted, and the real
 * traffic keeps its records.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { defaultConfig } from '../../src/config.ts'
import type { Config } from '../../src/config.ts'
import { Pipeline } from '../../src/pipeline.ts'
import { Wall } from '../../src/privacy/mod.ts'
import type { FloodResult } from './testing/flood-child.ts'
import { FloodSource, isRealExchange } from './testing/flood-source.ts'
import type { FloodName } from './testing/flood-source.ts'

const KEPT_MIN = 0.99
const TICK_STEPS = 100

interface Flood {
  readonly name: FloodName
  readonly count: number
  readonly limits: Partial<Config['limits']>
  /** Counted for each connection of the flood that gave way, and what else must have been. */
  readonly counter: string
  readonly alsoCounted?: string
}

const FLOODS: readonly Flood[] = [
  { name: 'SYNs without answer', count: 1_000_000, limits: {}, counter: 'evicted_half_open' },
  { name: 'one byte each', count: 1_000_000, limits: {}, counter: 'evicted' },
  // So many that the memory for messages cannot hold the pieces.
  { name: 'a piece of a head each', count: 200_000, limits: { connections: 20_000, messages: 24 << 20 }, counter: 'evicted', alsoCounted: 'http1_memory_limit' },
]

const memory = new ByteMemory({ imports: Wall.imports() })
const base = defaultConfig()
const wall = new Wall(memory, base.privacy, base)

for (const { name, count, limits, counter, alsoCounted } of FLOODS) {
  test(`${count} connections, ${name}, beside real traffic`, (context) => {
    const before = memory.allocator.allocatedBytes()
    const config: Config = { ...base, kinds: ['exchange'], limits: { ...base.limits, ...limits } }
    const source = new FloodSource(memory, name, count)
    let kept = 0
    const pipeline = new Pipeline(memory, wall, config, [undefined], source, ({ bytes }) => {
      for (const line of Buffer.from(bytes).toString('latin1').split('\n')) if (isRealExchange(line)) kept++
      pipeline.recycle(bytes.buffer as SharedArrayBuffer)
    })
    let most = 0
    let held = 0
    for (let step = 0; pipeline.step() > 0; step++) {
      if (step % TICK_STEPS === 0) pipeline.tick(source.time)
      most = Math.max(most, pipeline.connectionsOpen)
      held = Math.max(held, memory.allocator.allocatedBytes() - before)
    }
    pipeline.tick(source.time)
    pipeline.close()
    const { anomalies } = pipeline
    context.diagnostic(`${kept} of ${source.answered} exchanges kept; at most ${most} connections, ${held} bytes of shared memory held`)
    context.diagnostic([...anomalies].map(([each, times]) => `${each} ${times}`).join(', '))
    assert.ok(kept >= KEPT_MIN * source.answered, `${kept} of ${source.answered}`)
    assert.ok(most <= config.limits.connections && held <= config.limits.messages)
    assert.ok(anomalies.get(counter)! >= count - config.limits.connections)
    assert.ok(alsoCounted === undefined || anomalies.get(alsoCounted)! > 0)
    assert.equal(memory.allocator.allocatedBytes(), before)
  })
}

const CAP = 220 << 20
const CHILD = fileURLToPath(new URL('testing/flood-child.ts', import.meta.url))

/** With room for its heap from the start V8 collects nothing by itself, as it does late where others take the CPU. */
const COLLECTORS = [['as it comes', []], ['late', ['--initial-old-space-size=1024']]] as const

for (const [{ name }, [collected, more]] of FLOODS.flatMap((flood) => COLLECTORS.map((each) => [flood, each] as const))) {
  test(`under limits.memory a flood, ${name}, garbage collected ${collected}, stays within 10 % of the cap, and the real traffic is kept`, (context) => {
    const flags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2', ...more] // as bin/lintel
    const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, CHILD, name, '500000', String(CAP)], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const { kept, answered, residentMax, openMax, openAtEnd } = JSON.parse(stdout) as FloodResult
    context.diagnostic(`at most ${residentMax >> 20} MiB resident, ${openMax} connections, ${openAtEnd} at the end; ${kept} of ${answered} kept`)
    assert.ok(residentMax <= 1.1 * CAP, `${residentMax} bytes`)
    assert.ok(kept >= KEPT_MIN * answered, `${kept} of ${answered}`)
  })
}
