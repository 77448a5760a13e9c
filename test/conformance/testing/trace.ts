/**
 * One TCP connection as a list of segments that can be changed and then made into frames again.
 *
 * @module
 */
import { ipv4, ipv6, raw, tcp, TCP_FLAG } from '../../../lib/pcap/builder.ts'
import type { Layer, TcpConversation } from '../../../lib/pcap/builder.ts'
import type { Packet } from './packet-list.ts'

export interface TraceSegment {
  readonly fromClient: boolean
  readonly sequence: number
  readonly acknowledgement: number
  readonly flags: number
  readonly window: number
  readonly options: Uint8Array
  readonly payload: Uint8Array
  /** Nanoseconds since 1970. */
  readonly time: bigint
}

export interface Trace {
  readonly name: string
  readonly client: string
  readonly server: string
  readonly serverPort: number
  readonly segments: readonly TraceSegment[]
}

/** An IP packet that is still to be wrapped. */
export interface IpPacket {
  readonly version: 4 | 6
  readonly source: string
  readonly destination: string
  readonly inner: Layer
  /** Counts up over all packets ever made, for identifications. */
  readonly index: number
}

export function ipLayer({ version, source, destination, inner }: IpPacket): Layer {
  return version === 4 ? ipv4({ source, destination }, inner) : ipv6({ source, destination }, inner)
}

/** From one IP packet the frames that carry it. */
export type Wrapping = (packet: IpPacket) => Uint8Array[]

let packetCount = 0

const START = 1_700_000_000_000_000_000n

/** Segments a millisecond apart. */
export function traceOf(name: string, conversation: TcpConversation): Trace {
  return {
    name,
    client: '10.0.0.1',
    server: '10.0.0.2',
    serverPort: 80,
    segments: conversation.segments.map((segment, index) => ({
      fromClient: segment.from === 'client',
      sequence: segment.sequence,
      acknowledgement: segment.acknowledgement,
      flags: segment.flags,
      window: 65535,
      options: segment.options,
      payload: segment.payload,
      time: START + BigInt(index) * 1_000_000n,
    })),
  }
}

/** Packets of a trace whose client has the given port. */
export function packetsOf(trace: Trace, clientPort: number, wrap: Wrapping): Packet[] {
  const version = trace.client.includes(':') ? 6 : 4
  return trace.segments.flatMap((segment) => {
    const { fromClient, payload, time } = segment
    const inner = tcp({
      ...segment,
      sourcePort: fromClient ? clientPort : trace.serverPort,
      destinationPort: fromClient ? trace.serverPort : clientPort,
    }, raw(payload))
    const [source, destination] = fromClient ? [trace.client, trace.server] : [trace.server, trace.client]
    const seconds = Number(time / 1_000_000_000n)
    const nanoseconds = Number(time % 1_000_000_000n)
    return wrap({ version, source, destination, inner, index: packetCount++ })
      .map((bytes): Packet => ({ bytes, wire: bytes.length, seconds, nanoseconds, linkType: 1 }))
  })
}

const ETHERNET = 1
const TCP = 6

interface Parsed extends TraceSegment {
  readonly source: string
  readonly destination: string
}

/**
 * The connections of a capture, each a trace of its own; undefined when there is anything in it but whole, unfragmented TCP
 * in Ethernet frames, or a connection without its handshake.
 */
export function tracesOf(name: string, packets: readonly Packet[]): Trace[] | undefined {
  const traces = new Map<string, { trace: Trace; segments: TraceSegment[]; from: string }>()
  for (const packet of packets) {
    const parsed = parse(packet)
    if (parsed === undefined) return undefined
    const key = [parsed.source, parsed.destination].sort().join()
    let found = traces.get(key)
    if (found === undefined) {
      if ((parsed.flags & (TCP_FLAG.SYN | TCP_FLAG.ACK)) !== TCP_FLAG.SYN) return undefined
      const segments: TraceSegment[] = []
      const [client] = endpoint(parsed.source)
      const [server, serverPort] = endpoint(parsed.destination)
      found = { trace: { name: `${name} #${traces.size + 1}`, client, server, serverPort, segments }, segments, from: parsed.source }
      traces.set(key, found)
    }
    const { source, destination, ...segment } = parsed
    found.segments.push({ ...segment, fromClient: source === found.from })
    void destination
  }
  return [...traces.values()].map(({ trace }) => fromStart(trace))
}

/** Begun at the same time as every other trace, so that many of them can stand in one capture. */
function fromStart(trace: Trace): Trace {
  const first = trace.segments[0]!.time
  return { ...trace, segments: trace.segments.map((segment) => ({ ...segment, time: segment.time - first + START })) }
}

function endpoint(text: string): [address: string, port: number] {
  const at = text.lastIndexOf('|')
  return [text.slice(0, at), Number(text.slice(at + 1))]
}

function parse({ bytes, wire, linkType, seconds, nanoseconds }: Packet): Parsed | undefined {
  if (linkType !== ETHERNET || bytes.length !== wire || bytes.length < 54) return undefined
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const ip = ipHeader(view)
  if (ip === undefined || ip.end > bytes.length || ip.start + 20 > ip.end) return undefined
  const at = ip.start
  const header = (view[at + 12]! >> 4) * 4
  if (header < 20 || at + header > ip.end) return undefined
  return {
    fromClient: true,
    source: `${ip.source}|${view.readUInt16BE(at)}`,
    destination: `${ip.destination}|${view.readUInt16BE(at + 2)}`,
    sequence: view.readUInt32BE(at + 4),
    acknowledgement: view.readUInt32BE(at + 8),
    flags: view.readUInt16BE(at + 12) & 0x1ff,
    window: view.readUInt16BE(at + 14),
    options: bytes.subarray(at + 20, at + header),
    payload: bytes.subarray(at + header, ip.end),
    time: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
  }
}

function ipHeader(view: Buffer): { source: string; destination: string; start: number; end: number } | undefined {
  const ethertype = view.readUInt16BE(12)
  if (ethertype === 0x0800) {
    const isPlain = view[14]! >> 4 === 4 && view[23] === TCP && (view.readUInt16BE(20) & 0x3fff) === 0
    if (!isPlain) return undefined
    const address = (at: number): string => [...view.subarray(at, at + 4)].join('.')
    return { source: address(26), destination: address(30), start: 14 + (view[14]! & 15) * 4, end: 14 + view.readUInt16BE(16) }
  }
  if (ethertype !== 0x86dd || view[20] !== TCP) return undefined
  const address = (at: number): string =>
    Array.from({ length: 8 }, (_, index) => view.readUInt16BE(at + 2 * index).toString(16)).join(':')
  return { source: address(22), destination: address(38), start: 54, end: 54 + view.readUInt16BE(18) }
}
