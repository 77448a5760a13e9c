import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { on, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

import { ByteMemory } from '../../lib/bytes/mod.ts'
import { UNPRIVILEGED } from '../../lib/ebpf/testdata/unprivileged.ts'
import { KernelSource } from '../../src/capture/kernel/mod.ts'
import { Capture, ask, serve } from './testing/capture.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { Namespaces } from './testing/namespaces.ts'

const PORT = 18083

function isLoaded(id: number): boolean {
  return spawnSync('bpftool', ['prog', 'show', 'id', String(id)]).status === 0
}

async function untilGone(ids: readonly number[]): Promise<void> {
  // Programs are freed after an RCU grace period.
  while (ids.some(isLoaded)) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** How many filters of Lintel stand on the loopback's egress. */
function clsactFilters(namespaces: Namespaces): number {
  const rows = JSON.parse(namespaces.exec('lo', 'tc', '-j', 'filter', 'show', 'dev', 'lo', 'egress') || '[]') as
    { options?: { handle?: string; bpf_name?: string } }[]
  return rows.filter((row) => row.options?.handle !== undefined && row.options.bpf_name?.startsWith('lintel_egress')).length
}

for (const attach of ['tcx', 'xdp', 'socket', 'cgroup'] as const) {
  kernelTest(`kill -9 leaves nothing of ${attach} in the kernel, and no request fails`, async () => {
    using namespaces = new Namespaces('lo')
    const namespace = namespaces.of('lo')
    await using _server = await serve('127.0.0.1', PORT, namespace)
    const capture = await Capture.start({ attach, interfaces: ['lo'], filters: { ports: [[PORT, PORT]] } }, namespace)
    const ids = capture.ready.programs!
    assert.ok(ids.length > 0 && ids.every(isLoaded), 'the programs are there')
    const asked = ask(`http://127.0.0.1:${PORT}/a`, { count: 300, namespace })
    capture.child.kill('SIGKILL')
    // The child of "ip netns exec" is the process itself: both commands replace themselves.
    await once(capture.child, 'close')
    assert.equal(await asked, 300)
    await untilGone(ids)
  })
}

kernelTest('a clsact filter that outlived its maker is removed by the next start, a living one is not', async () => {
  using namespaces = new Namespaces('lo')
  const namespace = namespaces.of('lo')
  const options = { attach: 'clsact', interfaces: ['lo'], filters: { ports: [[PORT, PORT]] } } as const
  const dead = await Capture.start(options, namespace)
  dead.child.kill('SIGKILL')
  await once(dead.child, 'close')
  assert.equal(clsactFilters(namespaces), 1, 'the filter outlives kill -9')
  const first = await Capture.start(options, namespace)
  assert.equal(clsactFilters(namespaces), 1, 'the dead one is gone')
  const second = await Capture.start(options, namespace)
  assert.equal(clsactFilters(namespaces), 2, 'two captures live side by side')
  await second.stop()
  assert.equal(clsactFilters(namespaces), 1)
  await first.stop()
  assert.equal(clsactFilters(namespaces), 0)
  assert.doesNotMatch(namespaces.exec('lo', 'tc', 'qdisc', 'show', 'dev', 'lo'), /clsact/)
})

kernelTest('a capture works inside a worker thread, and sleeps there until a packet comes', async () => {
  using namespaces = new Namespaces('lo')
  const namespace = namespaces.of('lo')
  await using _server = await serve('127.0.0.1', PORT, namespace)
  const worker = new Worker(new URL('./testing/capture-worker.ts', import.meta.url), { workerData: { namespace, port: PORT } })
  const messages = on(worker, 'message')
  const next = async (): Promise<unknown> => (await messages.next() as { value: unknown[] }).value[0]
  assert.equal(await next(), 'ready')
  assert.equal(await ask(`http://127.0.0.1:${PORT}/a`, { count: 5, namespace }), 5)
  assert.deepEqual(await next(), { requests: 5 })
  await worker.terminate()
})

kernelTest('the wall clock of a record is that of the request', async () => {
  using namespaces = new Namespaces('lo')
  const namespace = namespaces.of('lo')
  await using _server = await serve('127.0.0.1', PORT, namespace)
  const capture = await Capture.start({ interfaces: ['lo'], filters: { ports: [[PORT, PORT]] } }, namespace)
  const before = Date.now()
  await ask(`http://127.0.0.1:${PORT}/a`, { namespace })
  const after = Date.now()
  const captured = await capture.stop()
  for (const record of captured.records) {
    const milliseconds = Number((BigInt(capture.ready.epoch!) + BigInt(record.time)) / 1_000_000n)
    assert.ok(milliseconds >= before && milliseconds <= after, `${before} <= ${milliseconds} <= ${after}`)
  }
  assert.ok(captured.records.length > 0)
})

kernelTest('what cannot be captured says why and what to do', () => {
  const memory = new ByteMemory()
  assert.throws(() => new KernelSource({ memory, interfaces: ['nosuch0'] }), /Cannot attach to "nosuch0": no such interface; there are .*lo/)
  assert.throws(() => new KernelSource({ memory, interfaces: ['lo'], objectFolder: '/nowhere' }), /not been built; run "make build"/)
  assert.throws(() => new KernelSource({ memory, interfaces: ['lo'], ringBytes: 0 }), /ringBytes = 0/)
  assert.throws(() => new KernelSource({ memory, attach: 'cgroup', cgroupPath: '/nowhere' }), /"\/nowhere"/)
})

kernelTest('without privileges the message names what is missing', () => {
  const child = fileURLToPath(new URL('./testing/capture-child.ts', import.meta.url))
  const [program, ...before] = UNPRIVILEGED
  const unprivileged = spawnSync(program, [...before, process.execPath, child, JSON.stringify({ interfaces: ['lo'] })], { encoding: 'utf8' })
  assert.notEqual(unprivileged.status, 0)
  assert.match(unprivileged.stderr, /CAP_BPF|run as root/)
})

kernelTest('close gives everything back', async () => {
  const source = new KernelSource({ memory: new ByteMemory(), interfaces: ['lo'], filters: { ports: [[1, 1]] } })
  const ids = source.costs().map((program) => program.id)
  assert.ok(ids.length > 0 && ids.every(isLoaded))
  source.close()
  source.close()
  assert.equal(source.fill(0, 1 << 20), 0)
  assert.equal(source.wait(1), false)
  source.skip(1, 0, 2)
  assert.ok(source.counters().seen >= 0)
  await untilGone(ids)
})

kernelTest('records that gather wake the reader when the ring fills', async () => {
  const ringBytes = 1 << 20
  const memory = new ByteMemory()
  const source = new KernelSource({ memory, interfaces: ['lo'], filters: { ports: [[PORT, PORT]], bodies: true }, ringBytes, processes: false })
  await using _server = await serve('127.0.0.1', PORT)
  try {
    const asked = ask(`http://127.0.0.1:${PORT}/a`, { bodyBytes: 3_000_000 })
    const longest = 60_000
    const began = performance.now()
    source.gather(longest)
    assert.ok(performance.now() - began < longest, 'it was woken')
    const pointer = memory.reserve(ringBytes)
    let bytes = 0
    for (let read = -1; read !== 0; bytes += read) read = source.fill(pointer, ringBytes)
    assert.ok(bytes >= ringBytes / 4, 'by what had gathered')
    assert.equal(await asked, 1)
  } finally {
    source.close()
  }
})
