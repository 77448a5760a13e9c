import assert from 'node:assert/strict'

import { ByteMemory } from '../../lib/bytes/mod.ts'
import { parseCidr } from '../../lib/cidr/mod.ts'
import { connectionSample } from '../../src/capture/connection-sample.ts'
import { PACKET_EVENT } from '../../src/capture/events.gen.ts'
import { SYN, ethernet, ipv4, ipv6, tagged, tcp, udp, vxlan } from './testing/frames.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { ProgramBench, ledgerOff } from './testing/program-bench.ts'

/** A SYN, which is delivered wherever it is wanted. */
function syn4(source: string, destination: string, sourcePort: number, destinationPort: number): Uint8Array {
  return ethernet(0x0800, ipv4({ source, destination }, tcp({ flags: SYN, source: sourcePort, destination: destinationPort })))
}

function isDelivered(bench: ProgramBench, frame: Uint8Array): boolean {
  bench.send(frame)
  assert.equal(ledgerOff(bench.counters()), 0)
  return bench.records().length === 1
}

kernelTest('a port range holds both its ends, on either side, and changes while the programs run', () => {
  using bench = new ProgramBench({}, { ports: [[80, 80], [8000, 8999], [65535, 65535]] })
  const delivered = (source: number, destination: number): boolean =>
    isDelivered(bench, syn4('10.0.0.1', '10.0.0.2', source, destination))
  for (const port of [80, 8000, 8063, 8064, 8999, 65535]) {
    assert.equal(delivered(30000, port), true, `destination ${port}`)
    assert.equal(delivered(port, 30000), true, `source ${port}`)
  }
  for (const port of [79, 81, 7999, 9000, 65534, 0]) assert.equal(delivered(30000, port), false, `destination ${port}`)
  assert.equal(bench.counters().notWanted.get('port'), 6)
  bench.setFilters({ ports: [[443, 443]] })
  assert.equal(delivered(30001, 80), false)
  assert.equal(delivered(30001, 443), true)
  bench.setFilters({})
  assert.equal(delivered(30002, 1), true)
})

kernelTest('the ports of a tunnelled segment count, not those of the tunnel', () => {
  using bench = new ProgramBench({}, { ports: [[80, 80]] })
  const within = (port: number): Uint8Array =>
    ethernet(0x0800, ipv4({ protocol: 17 }, vxlan(1, syn4('192.168.0.1', '192.168.0.2', 30000, port))))
  assert.equal(isDelivered(bench, within(80)), true)
  assert.equal(isDelivered(bench, within(81)), false)
  assert.equal(isDelivered(bench, tagged([[0x8100, 5]], 0x0800, ipv4({}, tcp({ flags: SYN, destination: 81 })))), false)
  assert.equal(bench.counters().notWanted.get('port'), 2)
})

/** A QUIC long header: first byte, version, then an arbitrary rest. */
function quic(first: number, version: number, sourcePort = 50000, destinationPort = 443): Uint8Array {
  const payload = new Uint8Array(1200)
  payload[0] = first
  new DataView(payload.buffer).setUint32(1, version)
  return ethernet(0x0800, ipv4({ protocol: 17 }, udp(sourcePort, destinationPort, payload)))
}

kernelTest('of UDP only datagrams that begin with a QUIC Initial packet are delivered, whole, and only when asked for', () => {
  using bench = new ProgramBench({}, { quic: true, ports: [[443, 443]] })
  const delivered = (frame: Uint8Array): number => {
    bench.send(frame)
    assert.equal(ledgerOff(bench.counters()), 0)
    return bench.records()[0]?.data.length ?? 0
  }
  for (const [first, version] of [[0xc3, 1], [0xd3, 0x6b3343cf], [0xc0, 0xff00001d], [0xcf, 0xfaceb002],
    [0xc1, 0x54303531], [0x83, 1], [0x93, 0x6b3343cf], [0xc3, 0x1a2a3a4a]] as const) {
    assert.equal(delivered(quic(first, version)), 1200, version.toString(16))
  }
  for (const [first, version, what] of [[0x43, 1, 'short header'], [0xe3, 1, 'Handshake'], [0xf3, 1, 'Retry'],
    [0xc3, 0x6b3343cf, 'Retry of version 2'], [0xc3, 0, 'Version Negotiation'], [0xc3, 7, 'no version']] as const) {
    assert.equal(delivered(quic(first, version)), 0, what)
  }
  assert.equal(bench.counters().notWanted.get('protocol'), 6)
  assert.equal(delivered(quic(0xc3, 1, 50000, 8443)), 0)
  assert.equal(bench.counters().notWanted.get('port'), 1)
  bench.setFilters({ ports: [[443, 443]] })
  assert.equal(delivered(quic(0xc3, 1)), 0)
})

kernelTest('networks of IPv4 are included and excluded, the narrower deciding, and change while the programs run', () => {
  using bench = new ProgramBench({}, { addresses: { include: ['10.0.0.0/8', '192.0.2.7'], exclude: ['10.1.0.0/16'] } })
  const delivered = (source: string, destination: string): boolean => isDelivered(bench, syn4(source, destination, 30000, 80))
  assert.equal(delivered('10.0.0.1', '172.16.0.1'), true)
  assert.equal(delivered('172.16.0.1', '10.255.255.255'), true)
  assert.equal(delivered('192.0.2.7', '172.16.0.1'), true)
  assert.equal(delivered('192.0.2.8', '172.16.0.1'), false)
  assert.equal(delivered('11.0.0.1', '172.16.0.1'), false)
  assert.equal(delivered('10.1.2.3', '10.0.0.1'), false)
  assert.equal(bench.counters().notWanted.get('address'), 3)
  bench.setFilters({ addresses: { exclude: ['172.16.0.0/12'] } })
  assert.equal(delivered('10.1.2.3', '11.0.0.1'), true)
  assert.equal(delivered('10.1.2.3', '172.31.255.255'), false)
  assert.equal(delivered('10.1.2.3', '172.32.0.0'), true)
})

kernelTest('networks of IPv6 are included and excluded', () => {
  const frame = (source: number, destination: number): Uint8Array =>
    ethernet(0x86dd, ipv6({ source, destination }, tcp({ flags: SYN, source: 1000 + source, destination: 80 })))
  using bench = new ProgramBench({}, { addresses: { include: ['2001:db8::/127'] } })
  assert.equal(isDelivered(bench, frame(1, 9)), true)
  assert.equal(isDelivered(bench, frame(9, 0)), true)
  assert.equal(isDelivered(bench, frame(2, 9)), false)
  bench.setFilters({ addresses: { exclude: ['2001:db8::9'] } })
  assert.equal(isDelivered(bench, frame(1, 9)), false)
  assert.equal(isDelivered(bench, frame(1, 2)), true)
})

kernelTest('more networks than the kernel takes are refused, and those before hold', () => {
  using bench = new ProgramBench({}, { addresses: { exclude: ['10.1.0.0/16', '2001:db8::9'] } })
  const many = Array.from({ length: 4097 }, (_, index) => `172.16.${index >> 8}.${index & 255}`)
  assert.throws(() => bench.setFilters({ ports: [[443, 443]], addresses: { exclude: many } }), /Cannot filter by 4097 networks: 4096 are the most/)
  assert.equal(isDelivered(bench, syn4('172.16.0.1', '10.0.0.2', 30000, 80)), true)
  assert.equal(isDelivered(bench, syn4('10.1.0.1', '10.0.0.2', 30000, 80)), false)
  assert.equal(isDelivered(bench, ethernet(0x86dd, ipv6({ source: 9 }, tcp({ flags: SYN, source: 1, destination: 80 })))), false)
})

kernelTest('a network cannot be included and excluded at once', () => {
  using bench = new ProgramBench()
  assert.throws(() => bench.setFilters({ addresses: { include: ['10.0.0.0/8'], exclude: ['10.9.9.9/8'] } }), /in both lists/)
  assert.throws(() => bench.setFilters({ ports: [[10, 9]] }), /lower end first/)
  assert.throws(() => bench.setFilters({ sample: 0 }), /above 0/)
})

kernelTest('protocols are chosen, and fragments follow the choice where it can be told', () => {
  using bench = new ProgramBench({}, { protocols: ['udp'], packets: true })
  const datagram = ethernet(0x0800, ipv4({ protocol: 17 }, udp(1, 2, 'x')))
  const piece = (protocol: number): Uint8Array => ethernet(0x0800, ipv4({ protocol, fragment: 0x2000, id: protocol }, new Uint8Array(40)))
  assert.equal(isDelivered(bench, syn4('10.0.0.1', '10.0.0.2', 1, 2)), false)
  assert.equal(isDelivered(bench, datagram), true)
  assert.equal(isDelivered(bench, piece(6)), false)
  assert.equal(isDelivered(bench, piece(17)), true)
  assert.equal(isDelivered(bench, piece(1)), false)
  bench.setFilters({ protocols: ['tcp'] })
  assert.equal(isDelivered(bench, datagram), false)
  assert.equal(isDelivered(bench, piece(6)), true)
  assert.equal(bench.counters().notWanted.get('protocol'), 4)
})

kernelTest('sampling keeps both directions of a connection or neither, and about the share asked for', () => {
  using bench = new ProgramBench({ connections: 65536 }, { sample: 0.25 })
  let kept = 0
  for (let connection = 0; connection < 2000; connection++) {
    const port = 20000 + connection
    const client = `10.0.${connection & 255}.1`
    const there = isDelivered(bench, syn4(client, '10.9.0.2', port, 80))
    const back = isDelivered(bench, ethernet(0x0800, ipv4({ source: '10.9.0.2', destination: client },
      tcp({ flags: SYN | 16, source: 80, destination: port }))))
    assert.equal(there, back, `connection ${connection}`)
    if (there) kept++
  }
  assert.ok(kept > 400 && kept < 600, `${kept} of 2000 were kept`)
  assert.equal(bench.counters().notWanted.get('sampled'), (2000 - kept) * 2)
})

kernelTest('user space samples by addresses and ports as the kernel does: both directions, IPv4 and IPv6', () => {
  using bench = new ProgramBench({ connections: 65536 }, { sample: 0.3 })
  const memory = new ByteMemory()
  const event = memory.reserve(PACKET_EVENT.bytes)
  const inSample = connectionSample(0.3)!
  const isKept = (source: string, sourcePort: number, destination: string, destinationPort: number): boolean => {
    memory.u8.fill(0, event, event + PACKET_EVENT.bytes)
    memory.write(event + PACKET_EVENT.source_address, parseCidr(source).bytes)
    memory.write(event + PACKET_EVENT.destination_address, parseCidr(destination).bytes)
    memory.u16[(event + PACKET_EVENT.source_port) >>> 1] = sourcePort
    memory.u16[(event + PACKET_EVENT.destination_port) >>> 1] = destinationPort
    return inSample(memory, event)
  }
  const outcomes = { true: 0, false: 0 }
  for (let index = 0; index < 500; index++) {
    const port = 30_000 + index * 7
    const [client, server] = [`10.${index & 127}.200.1`, '10.64.0.2'] as const
    const frame = index % 2 === 0 ? syn4(client, server, port, 443)
      : ethernet(0x86dd, ipv6({ source: index, destination: 250 }, tcp({ flags: SYN, source: port, destination: 443 })))
    const [from, to] = index % 2 === 0 ? [client, server] : [`2001:db8::${index.toString(16)}`, '2001:db8::fa']
    const kept = isDelivered(bench, frame)
    assert.equal(isKept(from, port, to, 443), kept, `${from} to ${to}, port ${port}`)
    assert.equal(isKept(to, 443, from, port), kept, `back to ${from}, port ${port}`)
    outcomes[`${kept}`]++
  }
  // The same addresses: the ports sort.
  for (let port = 1; port < 40; port++) assert.equal(isKept('127.0.0.1', port, '127.0.0.1', 20), isDelivered(bench, syn4('127.0.0.1', '127.0.0.1', port, 20)))
  assert.ok(outcomes.true > 100 && outcomes.false > 250, JSON.stringify(outcomes))
})

kernelTest('head_bytes_max cuts a record, says so, and counts what it cut', () => {
  using bench = new ProgramBench({ headBytesMax: 100 })
  bench.send(ethernet(0x0800, ipv4({}, tcp({ flags: 24 }, 'GET / HTTP/1.1\r\n'.padEnd(1000, 'x')))))
  const [record] = bench.records()
  assert.equal(record?.data.length, 100)
  assert.equal(record?.payloadLength, 1000)
  assert.equal(record!.flags & 4, 4)
  assert.equal(bench.counters().bytesCut, 900)
  assert.equal(bench.counters().bytesDelivered, 100)
})

kernelTest('a record holds its payload to the byte, at the bounds of its size classes', () => {
  using bench = new ProgramBench()
  let sequence = 1
  for (const length of [16, 17, 47, 48, 49, 111, 112, 113, 367, 368, 369, 1000, 1448, 3000]) {
    const payload = 'GET / HTTP/1.1\r\n'.padEnd(length, 'x')
    bench.send(ethernet(0x0800, ipv4({}, tcp({ flags: 24, sequence }, payload))))
    const [record] = bench.records()
    assert.equal(record?.data.toString('latin1'), payload, `${length} bytes`)
    sequence += length
  }
})
