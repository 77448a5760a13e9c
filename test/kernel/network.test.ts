import assert from 'node:assert/strict'

import { EVENT_FRAME, TUNNEL_VXLAN } from '../../src/capture/events.gen.ts'
import { Capture, ask, serve, streamOf } from './testing/capture.ts'
import type { CapturedRecord, Captured } from './testing/capture.ts'
import { ACK, PSH, ethernet, ipv4, tagged, tcp } from './testing/frames.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { Namespaces } from './testing/namespaces.ts'
import { ledgerOff } from './testing/program-bench.ts'

const PORT = 18082
const COUNT = 10
const REQUEST = 'GET /tagged HTTP/1.1\r\nHost: b\r\n\r\n'

function requestsIn(records: readonly CapturedRecord[]): number[] {
  const text = streamOf(records.filter((record) => record.destinationPort === PORT))
  return [...text.matchAll(/POST \/a\?n=(\d+) HTTP/g)].map((match) => Number(match[1]))
}

function responsesIn(records: readonly CapturedRecord[]): number[] {
  const text = streamOf(records.filter((record) => record.sourcePort === PORT))
  return [...text.matchAll(/x-path: \/a\?n=(\d+)\r\n/gi)].map((match) => Number(match[1]))
}

function assertOnce(captured: Captured, count: number): void {
  assert.equal(ledgerOff(captured.counters), 0)
  assert.deepEqual(requestsIn(captured.records), [...Array(count).keys()])
  assert.deepEqual(responsesIn(captured.records), [...Array(count).keys()])
  assert.deepEqual([...captured.counters.lost.values()].filter((lost) => lost > 0), [])
}

for (const [family, host] of [['IPv4', '10.77.0.2'], ['IPv6', '[fd77::2]']] as const) {
  kernelTest(`a veth pair shows each exchange once over ${family}, at each end`, async () => {
    using namespaces = new Namespaces('a', 'b')
    namespaces.veth('a', 'va', 'b', 'vb', [1, 2])
    await using _server = await serve(host.replace(/[[\]]/g, ''), PORT, namespaces.of('b'))
    const captures = [
      await Capture.start({ filters: { ports: [[PORT, PORT]] } }, namespaces.of('a')),
      await Capture.start({ filters: { ports: [[PORT, PORT]] } }, namespaces.of('b')),
    ]
    const url = `http://${host}:${PORT}/a`
    assert.equal(await ask(url, { count: COUNT, headerBytes: 16_000, bodyBytes: 50_000, namespace: namespaces.of('a') }), COUNT)
    for (const [at, capture] of captures.entries()) {
      const captured = await capture.stop()
      assertOnce(captured, COUNT)
      const device = at === 0 ? 'va' : 'vb'
      assert.ok(captured.records.every((record) => captured.names[record.interface] === device))
      const asked = captured.records.find((record) => record.data.startsWith('POST'))!
      assert.equal(asked.direction, at === 0 ? 2 : 1)
      assert.equal(asked.ipVersion, family === 'IPv4' ? 4 : 6)
    }
  })
}

kernelTest('a bridge, its ports and both directions of each show an exchange once', async () => {
  using namespaces = new Namespaces('a', 'bridge', 'b')
  namespaces.veth('a', 'va', 'bridge', 'pa')
  namespaces.veth('b', 'vb', 'bridge', 'pb')
  for (const words of ['link add br0 type bridge', 'link set br0 up', 'link set pa master br0', 'link set pb master br0']) {
    namespaces.ip('bridge', words)
  }
  namespaces.ip('a', 'addr add 10.77.0.1/24 dev va')
  namespaces.ip('b', 'addr add 10.77.0.2/24 dev vb')
  await using _server = await serve('10.77.0.2', PORT, namespaces.of('b'))
  const capture = await Capture.start({ filters: { ports: [[PORT, PORT]] } }, namespaces.of('bridge'))
  assert.deepEqual(new Set(capture.ready.attachments?.map((attachment) => attachment.where)), new Set(['lo', 'pa', 'br0', 'pb']))
  const url = `http://10.77.0.2:${PORT}/a`
  assert.equal(await ask(url, { count: COUNT, headerBytes: 16_000, bodyBytes: 50_000, namespace: namespaces.of('a') }), COUNT)
  const captured = await capture.stop()
  assertOnce(captured, COUNT)
  assert.ok(captured.counters.notWanted.get('other_path')! > COUNT)
})

kernelTest('an exchange inside VXLAN is shown once, though the tunnel and what carries it are both captured', async () => {
  using namespaces = new Namespaces('a', 'b')
  namespaces.veth('a', 'va', 'b', 'vb', [1, 2])
  for (const [name, device, own, peer] of [['a', 'va', 1, 2], ['b', 'vb', 2, 1]] as const) {
    namespaces.ip(name, `link set ${device} mtu 1400`)
    namespaces.ip(name, `link add vx0 type vxlan id 42 remote 10.77.0.${peer} local 10.77.0.${own} dstport 4789 dev ${device}`)
    namespaces.ip(name, `addr add 10.78.0.${own}/24 dev vx0`)
    namespaces.ip(name, 'link set vx0 up')
  }
  await using _server = await serve('10.78.0.2', PORT, namespaces.of('b'))
  const all = await Capture.start({ filters: { ports: [[PORT, PORT]] } }, namespaces.of('b'))
  const under = await Capture.start({ interfaces: ['va'], filters: { ports: [[PORT, PORT]] } }, namespaces.of('a'))
  const url = `http://10.78.0.2:${PORT}/a`
  assert.equal(await ask(url, { count: COUNT, headerBytes: 16_000, bodyBytes: 50_000, namespace: namespaces.of('a') }), COUNT)
  assertOnce(await all.stop(), COUNT)
  const captured = await under.stop()
  assertOnce(captured, COUNT)
  assert.ok(captured.records.every((record) => record.tunnel === TUNNEL_VXLAN && record.tunnelId === 42 && record.source.startsWith('10.78.')))
})

kernelTest('tags of frames on the wire are told, also the outer one that the kernel has taken out of the bytes', async () => {
  using namespaces = new Namespaces('a', 'b')
  namespaces.veth('a', 'va', 'b', 'vb')
  const capture = await Capture.start({ interfaces: ['vb'] }, namespaces.of('b'))
  const packet = (source: number): Uint8Array => ipv4({}, tcp({ source, flags: ACK | PSH }, REQUEST))
  namespaces.inject('a', 'va', [
    ethernet(0x0800, packet(1001)),
    tagged([[0x8100, 0x6064]], 0x0800, packet(1002)),
    tagged([[0x88a8, 200], [0x8100, 300]], 0x0800, packet(1003)),
  ])
  const captured = await capture.stop()
  assert.equal(ledgerOff(captured.counters), 0)
  const found = captured.records.filter((record) => record.data === REQUEST).map((record) => [record.sourcePort, record.vlan, record.ethertype])
  assert.deepEqual(found, [[1001, [], 0x0800], [1002, [0x6064], 0x0800], [1003, [200, 300], 0x0800]])
})

kernelTest('fragments on the wire arrive as frames, each once, and the other packets as segments', async () => {
  using namespaces = new Namespaces('a', 'b')
  namespaces.veth('a', 'va', 'b', 'vb')
  const capture = await Capture.start({ interfaces: ['vb'], filters: { addresses: { include: ['10.0.0.0/8'] } } }, namespaces.of('b'))
  const whole = tcp({ source: 1005, flags: ACK | PSH }, REQUEST)
  const pieces = [
    ethernet(0x0800, ipv4({ id: 5, fragment: 0x2000 }, whole.subarray(0, 24))),
    ethernet(0x0800, ipv4({ id: 5, fragment: 3 }, whole.subarray(24))),
  ]
  namespaces.inject('a', 'va', [...pieces, ethernet(0x0800, ipv4({ source: '11.0.0.1', destination: '11.0.0.2', fragment: 3 }, whole.subarray(24)))])
  const captured = await capture.stop()
  assert.equal(ledgerOff(captured.counters), 0)
  const frames = captured.records.filter((record) => record.kind === EVENT_FRAME)
  assert.deepEqual(frames.map((record) => record.data), pieces.map((piece) => Buffer.from(piece).toString('latin1')))
  assert.equal(captured.counters.notWanted.get('address'), 1)
})

kernelTest('an interface that goes and comes back is told, and captured again', async () => {
  using namespaces = new Namespaces('a', 'b')
  namespaces.veth('a', 'va', 'b', 'vb', [1, 2])
  const capture = await Capture.start({ filters: { ports: [[PORT, PORT]] } }, namespaces.of('b'))
  namespaces.ip('b', 'link del vb')
  await capture.untilChange((changes) => changes.some((change) => change.change === 'vanished' && change.where === 'vb'))
  namespaces.veth('a', 'va', 'b', 'vb', [1, 2])
  await capture.untilChange((changes) => changes.some((change) => change.change === 'appeared' && change.where === 'vb'))
  await using _server = await serve('10.77.0.2', PORT, namespaces.of('b'))
  assert.equal(await ask(`http://10.77.0.2:${PORT}/a`, { count: 2, namespace: namespaces.of('a') }), 2)
  assertOnce(await capture.stop(), 2)
})

kernelTest('a capture that names its interfaces waits for one that went', async () => {
  using namespaces = new Namespaces('a', 'b')
  namespaces.veth('a', 'va', 'b', 'vb', [1, 2])
  const capture = await Capture.start({ interfaces: ['vb'], filters: { ports: [[PORT, PORT]] } }, namespaces.of('b'))
  namespaces.ip('b', 'link del vb')
  namespaces.veth('a', 'va', 'b', 'vb', [1, 2])
  // Gone and back between two looks: the index is another.
  await capture.untilChange((changes) => changes.some((change) => change.change === 'appeared'))
  assert.deepEqual(capture.changes.map((change) => `${change.change} ${change.where}`), ['vanished vb', 'appeared vb'])
  await using _server = await serve('10.77.0.2', PORT, namespaces.of('b'))
  assert.equal(await ask(`http://10.77.0.2:${PORT}/a`, { namespace: namespaces.of('a') }), 1)
  assertOnce(await capture.stop(), 1)
})
