import type { BpfMap, BpfObject } from '../../../lib/ebpf/mod.ts'
import {
  SETTINGS, SETTING_BODIES, SETTING_CIDR_EXCLUDE, SETTING_CIDR_INCLUDE, SETTING_INTERFACES, SETTING_PACKETS, SETTING_PORTS,
  SETTING_PROTOCOL_ARP, SETTING_PROTOCOL_ICMP, SETTING_PROTOCOL_TCP, SETTING_PROTOCOL_UDP, SETTING_QUIC,
} from '../events.gen.ts'
import { parseCidr } from '../../../lib/cidr/mod.ts'
import type { Cidr } from '../../../lib/cidr/mod.ts'
import { SAMPLE_ALL, sampleBelow } from '../connection-sample.ts'
import { wordBytes } from './map-word.ts'

export const KernelProtocol = { tcp: 'tcp', udp: 'udp', icmp: 'icmp', arp: 'arp' } as const
export type KernelProtocol = (typeof KernelProtocol)[keyof typeof KernelProtocol]

/** What the kernel programs look at; everything else they count and leave alone. */
export interface KernelFilters {
  /** Ranges of TCP and UDP ports, both ends included; a packet is wanted if either port is in one. None = all. */
  readonly ports?: readonly (readonly [first: number, last: number])[]
  readonly addresses?: {
    /** Networks as `10.0.0.0/8` or `2001:db8::1`; wanted is what has one end in one of them. None = all. */
    readonly include?: readonly string[]
    /** Never wanted; of two networks that hold an address the narrower decides. */
    readonly exclude?: readonly string[]
  }
  /** Default: tcp. The others hold no messages and are delivered only with `packets`. */
  readonly protocols?: readonly KernelProtocol[]
  /** Share of the connections, above 0 to 1, chosen by a hash of the addresses and ports. Default 1. */
  readonly sample?: number
  /** Deliver the headers of every wanted packet, bare acknowledgements included. Default false. */
  readonly packets?: boolean
  /** Deliver datagrams that begin with a QUIC Initial packet, whole. Default false. */
  readonly quic?: boolean
  /** Deliver bodies of HTTP/1 until `skip` says how much is not wanted, although their length stands in the head. Default false. */
  readonly bodies?: boolean
}

const PORT_MAX = 65535
const CIDR_INCLUDE = 1
const CIDR_EXCLUDE = 2
const PROTOCOL_SETTING = {
  tcp: SETTING_PROTOCOL_TCP, udp: SETTING_PROTOCOL_UDP, icmp: SETTING_PROTOCOL_ICMP, arp: SETTING_PROTOCOL_ARP,
} as const satisfies Record<KernelProtocol, number>

/**
 * Writes filters into the maps of the loaded programs, at any time. What changes is not one atomic step: for some
 * microseconds packets may meet a mix of old and new.
 */
export class FilterMaps {
  readonly #settings: BpfMap
  readonly #ports: BpfMap
  readonly #cidr4: BpfMap
  readonly #cidr6: BpfMap
  readonly #interfaces: BpfMap
  readonly #decoderPorts: BpfMap
  readonly #headBytesMax: number
  #portWords = new BigUint64Array((PORT_MAX + 1) / 64)
  #filters: KernelFilters = {}
  #onlyListedInterfaces = false
  #admitBelow = SAMPLE_ALL

  constructor(object: BpfObject, headBytesMax: number) {
    this.#settings = object.map('settings')
    this.#ports = object.map('ports')
    this.#cidr4 = object.map('cidr4')
    this.#cidr6 = object.map('cidr6')
    this.#interfaces = object.map('interfaces')
    this.#decoderPorts = object.map('decoder_ports')
    this.#headBytesMax = headBytesMax
  }

  /** @throws {RangeError} when a filter cannot be used; then nothing has changed */
  set(filters: KernelFilters): void {
    const ports = portWords(filters.ports ?? [])
    const networks = networksOf(filters)
    const below = sampleBelow(filters.sample ?? 1)
    const of4 = networks.filter((each) => each.bytes.length === 4)
    const of6 = networks.filter((each) => each.bytes.length === 16)
    for (const [map, { length }] of [[this.#cidr4, of4], [this.#cidr6, of6]] as const) {
      if (length > map.maxEntries) throw new RangeError(`Cannot filter by ${length} networks: ${map.maxEntries} are the most; join some of them`)
    }
    this.#writePorts(ports)
    this.#writeNetworks(this.#cidr4, of4)
    this.#writeNetworks(this.#cidr6, of6)
    this.#filters = filters
    this.#writeSettings(flagsOf(filters), below)
  }

  /** Server ports on which a connection is delivered whatever its first bytes are. Once, at the start. */
  setDecoderPorts(ports: readonly number[]): void {
    portWords(ports.map((port) => [port, port])).forEach((word, at) => {
      if (word !== 0n) this.#decoderPorts.update(wordBytes(at), new Uint8Array(BigUint64Array.of(word).buffer))
    })
  }

  /** For hooks that see all interfaces: only packets of those listed are wanted; undefined = all. */
  setInterfaces(indexes: readonly number[] | undefined): void {
    const wanted = new Set(indexes)
    for (const key of [...this.#interfaces.keys()]) {
      if (!wanted.has(u32Of(key))) this.#interfaces.delete(key)
    }
    for (const index of wanted) this.#interfaces.update(wordBytes(index), wordBytes(1))
    this.#onlyListedInterfaces = indexes !== undefined
    this.#writeSettings(flagsOf(this.#filters), sampleBelow(this.#filters.sample ?? 1))
  }

  /** The share of the connections, above 0 to 1, that is read while the agent cannot keep up; whole connections, by their hash. */
  setAdmitted(share: number): void {
    this.#admitBelow = sampleBelow(share)
    this.#writeSettings(flagsOf(this.#filters), sampleBelow(this.#filters.sample ?? 1))
  }

  #writePorts(words: BigUint64Array<ArrayBuffer>): void {
    words.forEach((word, at) => {
      if (word !== this.#portWords[at]) this.#ports.update(wordBytes(at), new Uint8Array(words.buffer, at * 8, 8))
    })
    this.#portWords = words
  }

  #writeNetworks(map: BpfMap, networks: readonly RuledCidr[]): void {
    const wanted = new Map(networks.map((each) => [cidrKey(each).toString(), each]))
    for (const key of [...map.keys()]) if (!wanted.has(key.toString())) map.delete(key)
    for (const each of networks) map.update(cidrKey(each), wordBytes(each.rule))
  }

  #writeSettings(flags: number, below: number): void {
    const value = new DataView(new ArrayBuffer(SETTINGS.bytes))
    value.setUint32(SETTINGS.flags, flags | (this.#onlyListedInterfaces ? SETTING_INTERFACES : 0), true)
    value.setUint32(SETTINGS.sample_below, below, true)
    value.setUint32(SETTINGS.admit_below, this.#admitBelow, true)
    value.setUint32(SETTINGS.head_bytes_max, this.#headBytesMax, true)
    const ports = (this.#filters.ports ?? []).flat()
    value.setUint16(SETTINGS.port_lowest, ports.reduce((least, port) => Math.min(least, port), PORT_MAX), true)
    value.setUint16(SETTINGS.port_highest, ports.reduce((most, port) => Math.max(most, port), 0), true)
    this.#settings.update(wordBytes(0), new Uint8Array(value.buffer))
  }
}

interface RuledCidr extends Cidr { readonly rule: number }

function networksOf(filters: KernelFilters): RuledCidr[] {
  const { include = [], exclude = [] } = filters.addresses ?? {}
  const networks = [
    ...include.map((text) => ({ ...parseCidr(text), rule: CIDR_INCLUDE })),
    ...exclude.map((text) => ({ ...parseCidr(text), rule: CIDR_EXCLUDE })),
  ]
  const ruleOf = new Map<string, number>()
  for (const each of networks) {
    const key = cidrKey(each).toString()
    if ((ruleOf.get(key) ?? each.rule) !== each.rule) {
      throw new RangeError(`Cannot include and exclude "${each.text}": it is in both lists; take it out of one`)
    }
    ruleOf.set(key, each.rule)
  }
  return networks
}

function flagsOf(filters: KernelFilters): number {
  let flags = filters.packets === true ? SETTING_PACKETS : 0
  if (filters.quic === true) flags |= SETTING_QUIC
  if (filters.bodies === true) flags |= SETTING_BODIES
  if ((filters.ports ?? []).length > 0) flags |= SETTING_PORTS
  if ((filters.addresses?.include ?? []).length > 0) flags |= SETTING_CIDR_INCLUDE
  if ((filters.addresses?.exclude ?? []).length > 0) flags |= SETTING_CIDR_EXCLUDE
  for (const protocol of filters.protocols ?? ['tcp']) flags |= PROTOCOL_SETTING[protocol]
  return flags
}

function portWords(ranges: readonly (readonly [number, number])[]): BigUint64Array<ArrayBuffer> {
  const words = new BigUint64Array((PORT_MAX + 1) / 64)
  for (const [first, last] of ranges) {
    if (!(Number.isInteger(first) && Number.isInteger(last) && first >= 0 && first <= last && last <= PORT_MAX)) {
      throw new RangeError(`Cannot use the ports ${first}-${last}: a range goes from 0 to ${PORT_MAX}, the lower end first`)
    }
    for (let port = first; port <= last; port++) words[port >> 6]! |= 1n << BigInt(port & 63)
  }
  return words
}

/** struct cidr4_key, struct cidr6_key (bpf/maps.h). */
function cidrKey(cidr: Cidr): Uint8Array {
  const key = new Uint8Array(4 + cidr.bytes.length)
  key.set(wordBytes(cidr.bits))
  key.set(cidr.bytes, 4)
  return key
}

function u32Of(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
}
