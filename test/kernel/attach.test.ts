import assert from 'node:assert/strict'

import { FLAG_CUT } from '../../src/capture/events.gen.ts'
import { KernelAttach, KernelTransport } from '../../src/capture/kernel/mod.ts'
import { Capture, ask, serve, streamOf } from './testing/capture.ts'
import type { Captured } from './testing/capture.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { Namespaces } from './testing/namespaces.ts'
import { ledgerOff } from './testing/program-bench.ts'

const PORT = 18081
const COUNT = 10

/** Every request and every response once, no record missing, and a ledger that adds up. */
function assertWhole(captured: Captured, count: number): void {
  assert.equal(ledgerOff(captured.counters), 0)
  assert.equal(captured.counters.delivered, captured.records.length)
  const requests = streamOf(captured.records.filter((record) => record.destinationPort === PORT))
  const responses = streamOf(captured.records.filter((record) => record.sourcePort === PORT))
  assert.deepEqual([...requests.matchAll(/POST \/a\?n=(\d+) HTTP/g)].map((match) => Number(match[1])), [...Array(count).keys()])
  assert.deepEqual([...responses.matchAll(/x-path: \/a\?n=(\d+)\r\n/gi)].map((match) => Number(match[1])), [...Array(count).keys()])
  for (const side of [PORT, undefined]) {
    const numbers = captured.records.filter((record) => (record.sourcePort === PORT) === (side === PORT)).map((record) => record.number)
    assert.deepEqual(numbers, [...numbers.keys()], 'record numbers run on from 0')
  }
}

for (const attach of Object.values(KernelAttach)) {
  for (const transport of Object.values(KernelTransport)) {
    kernelTest(`--attach ${attach} --transport ${transport} delivers every request and response once`, async () => {
      using namespaces = new Namespaces('lo')
      const namespace = namespaces.of('lo')
      await using _server = await serve('127.0.0.1', PORT, namespace)
      const capture = await Capture.start({ attach, transport, interfaces: ['lo'], filters: { ports: [[PORT, PORT]] } }, namespace)
      assert.equal(capture.ready.seesBothDirections, true)
      assert.equal(await ask(`http://127.0.0.1:${PORT}/a`, { count: COUNT, headerBytes: 60_000, bodyBytes: 100_000, namespace }), COUNT)
      const captured = await capture.stop()
      assertWhole(captured, COUNT)
      const bytes = captured.records.filter((record) => record.destinationPort === PORT)
        .reduce((total, record) => total + record.data.length, 0)
      // A perf record cannot hold quite 64 KiB: what is cut is marked and counted.
      assert.ok(bytes + captured.counters.bytesCut > COUNT * 160_000, 'headers and bodies are there to the byte')
      assert.ok(transport === 'perf' || captured.counters.bytesCut === 0)
      assert.ok(captured.records.every((record) => record.data.length === record.payloadLength || (record.flags & FLAG_CUT) !== 0))
      if (transport === 'ring') assert.ok(captured.records.some((record) => record.data.length > 30_000), 'large segments pass whole')
    })
  }
}

kernelTest('XDP on a wire sees what comes in, and says so', async () => {
  using namespaces = new Namespaces('a', 'b')
  namespaces.veth('a', 'va', 'b', 'vb', [1, 2])
  await using _server = await serve('10.77.0.2', PORT, namespaces.of('b'))
  const capture = await Capture.start({ attach: 'xdp', interfaces: ['vb'], filters: { ports: [[PORT, PORT]] } }, namespaces.of('b'))
  assert.equal(capture.ready.seesBothDirections, false)
  assert.equal(capture.ready.attachments?.[0]?.bothDirections, false)
  assert.equal(await ask(`http://10.77.0.2:${PORT}/a`, { count: 3, namespace: namespaces.of('a') }), 3)
  const captured = await capture.stop()
  assert.equal(ledgerOff(captured.counters), 0)
  assert.ok(captured.records.length > 0 && captured.records.every((record) => record.destinationPort === PORT && record.direction === 1))
})

kernelTest('filters change on a capture that runs', async () => {
  using namespaces = new Namespaces('lo')
  const namespace = namespaces.of('lo')
  await using _server = await serve('127.0.0.1', PORT, namespace)
  const capture = await Capture.start({ interfaces: ['lo'], filters: { ports: [[1, 1]] } }, namespace)
  assert.equal(await ask(`http://127.0.0.1:${PORT}/a`, { namespace }), 1)
  await capture.setFilters({ ports: [[PORT, PORT]] })
  assert.equal(await ask(`http://127.0.0.1:${PORT}/b`, { namespace }), 1)
  await capture.setFilters({ addresses: { exclude: ['127.0.0.0/8'] } })
  assert.equal(await ask(`http://127.0.0.1:${PORT}/c`, { namespace }), 1)
  const captured = await capture.stop()
  const text = captured.records.map((record) => record.data).join('')
  assert.deepEqual([...text.matchAll(/POST (\/\w)/g)].map((match) => match[1]), ['/b'])
  assert.equal(ledgerOff(captured.counters), 0)
})

kernelTest('a cgroup capture can be kept to some interfaces', async () => {
  using namespaces = new Namespaces('a', 'b')
  namespaces.veth('a', 'va', 'b', 'vb', [1, 2])
  await using _server = await serve('0.0.0.0', PORT, namespaces.of('b'))
  const capture = await Capture.start({ attach: 'cgroup', interfaces: ['vb'], filters: { ports: [[PORT, PORT]] } }, namespaces.of('b'))
  assert.equal(await ask(`http://127.0.0.1:${PORT}/lo`, { namespace: namespaces.of('b') }), 1)
  assert.equal(await ask(`http://10.77.0.2:${PORT}/wire`, { namespace: namespaces.of('a') }), 1)
  const captured = await capture.stop()
  assert.equal(ledgerOff(captured.counters), 0)
  const text = captured.records.map((record) => record.data).join('')
  assert.deepEqual([...text.matchAll(/POST (\/\w+)/g)].map((match) => match[1]), ['/wire'])
  assert.ok(captured.counters.notWanted.get('interface')! > 5)
})

kernelTest('a segment over 64 KiB is delivered whole, as several', async () => {
  using namespaces = new Namespaces('lo')
  const namespace = namespaces.of('lo')
  namespaces.ip('lo', 'link set lo gso_max_size 400000')
  // On a slow machine the sender would keep its segments small: they follow the round trip time, the window, and a third of it.
  namespaces.exec('lo', 'sysctl', '-qw', 'net.ipv4.tcp_tso_rtt_log=30', 'net.ipv4.tcp_tso_win_divisor=1', 'net.ipv4.tcp_rmem=4096 8388608 8388608',
    'net.ipv4.tcp_wmem=4096 8388608 8388608')
  await using _server = await serve('::1', PORT, namespace)
  const capture = await Capture.start({ interfaces: ['lo'], filters: { ports: [[PORT, PORT]], bodies: true } }, namespace)
  const bodyBytes = 3_000_000
  assert.equal(await ask(`http://[::1]:${PORT}/a`, { count: 3, bodyBytes, namespace }), 3)
  const captured = await capture.stop()
  assertWhole(captured, 3)
  assert.ok(captured.records.some((record) => record.frameLength > 140_000), 'there were such segments')
  assert.equal(captured.counters.bytesCut, 0)
  const uploads = captured.records.filter((record) => record.destinationPort === PORT && record.payloadLength > 0)
  assert.ok(uploads.every((record) => record.payloadLength <= 65536 && record.data.length === record.payloadLength))
  assert.ok(streamOf(uploads).length > 3 * bodyBytes)
})
