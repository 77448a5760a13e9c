/** Packet records: every chosen field of Ethernet, IP, TCP, UDP and ICMP equals what tshark says of the same packets. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { Network } from './testing/network.ts'
import { run, Running } from './testing/process.ts'
import { Tcpdump } from './testing/tcpdump.ts'

const UDP_PORT = 18133

/** tshark's names of what a record shows; both versions of IP, the one that is there counts. */
const FIELDS = [
  'eth.src', 'eth.dst', 'eth.type', 'frame.len', 'ip.src', 'ip.dst', 'ip.ttl', 'ip.dsfield.dscp', 'ip.dsfield.ecn', 'ip.id',
  'ipv6.src', 'ipv6.dst', 'ipv6.hlim', 'ipv6.tclass.dscp', 'ipv6.tclass.ecn', 'ipv6.flow',
  'tcp.srcport', 'tcp.dstport', 'tcp.flags', 'tcp.window_size_value', 'tcp.seq', 'tcp.ack', 'tcp.options.mss_val',
  'udp.srcport', 'udp.dstport', 'icmp.type', 'icmp.code', 'icmpv6.type', 'icmpv6.code',
] as const
type Field = (typeof FIELDS)[number]

const FLAGS = [['FIN', 1], ['SYN', 2], ['RST', 4], ['PSH', 8], ['ACK', 16], ['URG', 32], ['ECE', 64], ['CWR', 128]] as const

function flagNames(bits: number): string {
  return FLAGS.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name).join()
}

/** What tshark says, in the form of `ours`. */
function theirs(row: ReadonlyMap<Field, string>): string {
  const text = (...names: Field[]): string | undefined => names.map((name) => row.get(name)).find((value) => value !== undefined && value !== '')
  const number = (...names: Field[]): number | undefined => {
    const value = text(...names)
    return value === undefined ? undefined : Number(value)
  }
  const flags = number('tcp.flags')
  const icmp = number('icmp.type', 'icmpv6.type')
  return JSON.stringify({
    mac: [text('eth.src'), text('eth.dst')], type: number('eth.type'), length: number('frame.len'),
    address: [text('ip.src', 'ipv6.src'), text('ip.dst', 'ipv6.dst')],
    ip: [number('ip.ttl', 'ipv6.hlim'), number('ip.dsfield.dscp', 'ipv6.tclass.dscp'), number('ip.dsfield.ecn', 'ipv6.tclass.ecn'),
      number('ip.id', 'ipv6.flow')],
    // tshark also shows the ports of the datagram that an ICMP error quotes.
    port: icmp === undefined ? [number('tcp.srcport', 'udp.srcport'), number('tcp.dstport', 'udp.dstport')] : [undefined, undefined],
    tcp: [flags === undefined ? undefined : flagNames(flags), number('tcp.window_size_value'), number('tcp.seq'), number('tcp.ack'),
      number('tcp.options.mss_val')],
    icmp: [icmp, number('icmp.code', 'icmpv6.code')],
  })
}

function ours(record: LoggedRecord): string {
  const { link, ip, tcp } = record
  return JSON.stringify({
    mac: [link?.source?.mac, link?.destination?.mac], type: Number(link?.type), length: ip?.['total_length'],
    address: [record.source?.address, record.destination?.address],
    ip: [ip?.['ttl'], ip?.['dscp'], ip?.['ecn'], ip?.['identification']],
    port: [record.source?.port, record.destination?.port],
    tcp: [tcp?.['flags'], tcp?.['window'], tcp?.['sequence'], tcp?.['acknowledgement'], tcp?.['mss']],
    icmp: [record.icmp?.type, record.icmp?.code],
  })
}

function hasPorts(line: string): boolean {
  return !line.includes('"port":[null,null]')
}

async function tsharkRows(path: string): Promise<string[]> {
  const output = await run('tshark', ['-r', path, '-Y', 'tcp || udp || icmp || icmpv6', '-o', 'tcp.relative_sequence_numbers:FALSE', '-T', 'fields',
    '-E', 'separator=/t', '-E', 'occurrence=f', ...FIELDS.flatMap((field) => ['-e', field])])
  return output.split('\n').filter((line) => line !== '').map((line) => {
    const values = line.split('\t')
    return theirs(new Map(FIELDS.map((field, index) => [field, values[index] ?? ''])))
  })
}

/** HTTP over both IPs with a DSCP, pings of both kinds, UDP both ways (the answer is an ICMP unreachable). */
async function traffic(network: Network): Promise<void> {
  const client = async (...words: string[]): Promise<void> => {
    await new Running('ip', ['netns', 'exec', network.client, ...words]).finish()
  }
  await client('curl', '-s', '-o', '/dev/null', `http://${network.server4}/four`)
  await client('curl', '-s', '-g', '-o', '/dev/null', '-H', `X-Pad: ${'p'.repeat(5000)}`, `http://[${network.server6}]/six`)
  const python = `
import socket, struct
for family, address in ((socket.AF_INET, "${network.server4}"), (socket.AF_INET6, "${network.server6}")):
    udp = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET: udp.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0xb9)
    else: udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 0xb9)
    udp.sendto(b"datagram", (address, ${UDP_PORT}))
    if family == socket.AF_INET: ping = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    else: ping = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    kind = 8 if family == socket.AF_INET else 128
    checksum = ~((kind << 8) + 7 + 1) & 0xffff
    ping.sendto(struct.pack(">BBHHH", kind, 0, checksum, 7, 1), (address, 0))
`
  await client('python3', '-c', python)
}

test('every packet of TCP, UDP and ICMP over both versions of IP: the fields are those of tshark', { timeout: 60_000 }, async () => {
  const network = new Network()
  const folder = mkdtempSync(join(tmpdir(), 'lintel-packets-'))
  const capture = join(folder, 'capture.pcap')
  let gateway: Gateway | undefined
  let lintel: Lintel | undefined
  let tcpdump: Tcpdump | undefined
  try {
    gateway = await Gateway.start({ listen: ['80', '[::]:80'], namespace: network.server })
    lintel = await Lintel.start(['--interface', network.serverInterface, '--kind', 'packet', '--field', '*',
      ...['tcp', 'udp', 'icmp'].flatMap((protocol) => ['--protocol', protocol])], network.server)
    tcpdump = await Tcpdump.start(capture, { interface: network.serverInterface, namespace: network.server })
    await traffic(network)
    await delay(500)
    await tcpdump.stop()
    assert.match(await lintel.stop(), /adds up/)
    const rows = (await tsharkRows(capture)).sort()
    const records = (await lintel.records()).filter((record) => record.kind === 'packet')
    const lines = records.map(ours).sort()
    assert.ok(rows.length >= 20, `${rows.length} packets`) // how many segments TCP makes of it differs
    for (const part of ['"icmp":[3,3]', '"icmp":[8,0]', '"icmp":[128,0]', '"icmp":[1,4]', `${UDP_PORT}]`, 'SYN,ACK', '[64,46,1,']) {
      assert.ok(rows.some((row) => row.includes(part)), part)
    }
    // Neighbour discovery goes on before tcpdump listens; what has ports is of this test, and in both of them once.
    assert.deepEqual(rows.filter((row) => !lines.includes(row)), [], 'packets that no record shows so')
    assert.deepEqual(lines.filter(hasPorts), rows.filter(hasPorts))
    for (const record of records) {
      assert.equal(record.network?.interface?.name, network.serverInterface)
      const addresses = [network.server4, network.server6]
      if (addresses.includes(record.destination?.address ?? '')) assert.equal(record.network.io?.direction, 'receive')
      if (addresses.includes(record.source?.address ?? '')) assert.equal(record.network.io?.direction, 'transmit')
    }
  } finally {
    await tcpdump?.stop()
    await lintel?.process.stop('SIGKILL')
    lintel?.remove()
    await gateway?.stop()
    network.remove()
    rmSync(folder, { recursive: true, force: true })
  }
})
