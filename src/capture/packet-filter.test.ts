import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { parseCidr } from '../../lib/cidr/mod.ts'
import { PACKET_EVENT } from './events.gen.ts'
import { packetFilter } from './packet-filter.ts'

const memory = new ByteMemory()
const event = memory.reserve(PACKET_EVENT.bytes)

function wanted(filters: Parameters<typeof packetFilter>[0], source: string, sourcePort: number, destination: string, destinationPort: number): boolean {
  const addresses = [parseCidr(source).bytes, parseCidr(destination).bytes]
  memory.u8.fill(0, event, event + PACKET_EVENT.bytes)
  memory.u8[event + PACKET_EVENT.ip_version] = addresses[0]!.length === 4 ? 4 : 6
  memory.u8[event + PACKET_EVENT.ip_protocol] = 6
  memory.write(event + PACKET_EVENT.source_address, addresses[0]!)
  memory.write(event + PACKET_EVENT.destination_address, addresses[1]!)
  memory.u16[(event + PACKET_EVENT.source_port) >>> 1] = sourcePort
  memory.u16[(event + PACKET_EVENT.destination_port) >>> 1] = destinationPort
  return packetFilter(filters)!(memory, event)
}

test('packetFilter without filters is none', () => {
  assert.equal(packetFilter({}), undefined)
  assert.equal(packetFilter({ ports: [], addresses: { include: [], exclude: [] } }), undefined)
})

test('packetFilter wants a packet with either port in a range, ends included', () => {
  const ports = { ports: [[80, 80], [8000, 8100]] as const }
  assert.equal(wanted(ports, '10.0.0.1', 40000, '10.0.0.2', 80), true)
  assert.equal(wanted(ports, '10.0.0.2', 8100, '10.0.0.1', 40000), true)
  assert.equal(wanted(ports, '10.0.0.1', 40000, '10.0.0.2', 8101), false)
})

test('packetFilter takes the narrowest network that holds an address', () => {
  const addresses = { addresses: { include: ['10.1.0.0/16', '2001:db8::/33'], exclude: ['10.0.0.0/8', '10.1.2.3'] } }
  assert.equal(wanted(addresses, '10.1.9.9', 1, '192.0.2.1', 2), true)
  assert.equal(wanted(addresses, '10.2.9.9', 1, '10.1.9.9', 2), false)
  assert.equal(wanted(addresses, '10.1.2.3', 1, '10.1.9.9', 2), false)
  assert.equal(wanted(addresses, '192.0.2.1', 1, '192.0.2.2', 2), false)
  assert.equal(wanted(addresses, '2001:db8:7fff::1', 1, '2001:db9::1', 2), true)
  assert.equal(wanted(addresses, '2001:db8:8000::1', 1, '2001:db9::1', 2), false)
})

test('packetFilter with exclusions alone wants everything else', () => {
  const addresses = { addresses: { exclude: ['127.0.0.0/8'] } }
  assert.equal(wanted(addresses, '127.0.0.1', 1, '127.0.0.1', 2), false)
  assert.equal(wanted(addresses, '10.0.0.1', 1, '10.0.0.2', 2), true)
})
