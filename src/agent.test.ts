import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Agent, filtersFor } from './agent.ts'
import { configSchema, type Config } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-agent-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function outputs(...list: Record<string, unknown>[]): Config['outputs'] {
  return configSchema.shape.outputs.parse(list)
}

const A = { type: 'file', path: '/a' }
const B = { type: 'file', path: '/b' }

const [X, Y, Z] = ['kind == "exchange"', 'kind == "packet"', 'kind == "anomaly"']

test('filters of a reload go to the open output of the same type and path, whatever their order', () => {
  const open = outputs({ ...A, filter: X }, B, { type: 'stdout', filter: Y })
  const filters = open.map(({ filter }) => filter)
  assert.deepEqual(filtersFor(open, filters, outputs({ ...B, filter: Z }, { ...A, filter: Y })), [Y, Z, Y])
  assert.deepEqual(filtersFor(open, filters, outputs({ type: 'file', path: '/c', filter: Z }, A)), [undefined, undefined, Y])
})

/** An agent with an empty capture: it is over soon, so that reloads come before, during and after its end. */
async function shortRun(t: { after(end: () => void): void }): Promise<{ agent: Agent, config: Config }> {
  const capture = join(folder, 'empty.pcap')
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(65_535, 16)
  header.writeUInt32LE(1, 20)
  writeFileSync(capture, header)
  const config = { ...configSchema.parse({ outputs: [{ type: 'file', path: join(folder, 'out.ndjson') }] }), files: [capture] } as Config
  const agent = new Agent(config, { log: () => {}, ended: () => {} })
  await agent.start()
  t.after(() => agent.stop())
  return { agent, config }
}

test('every one of many reloads settles, also those that come when the run is over', async t => {
  const { agent, config } = await shortRun(t)
  const early = await Promise.allSettled(Array.from({ length: 10 }, () => agent.reload(config)))
  assert.equal(early.length, 10)
  await agent.stop()
  await assert.rejects(agent.reload(config), /Cannot reload: the run is over/)
})
