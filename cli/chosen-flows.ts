import type { ByteMemory } from '../lib/bytes/mod.ts'
import { parseCidr } from '../lib/cidr/mod.ts'
import { PACKET_EVENT as P } from '../src/capture/events.gen.ts'
import type { SafeBatch, Sink, SinkHealth, SinkHost } from '../src/sink/mod.ts'

const FLOWS_MAX = 1_000_000
const PROTOCOL: ReadonlyMap<string, number> = new Map([['tcp', 6], ['udp', 17]])
const ADDRESS_BYTES = 16
const NONE: ReadonlyMap<string, number> = new Map()

interface End { readonly address?: string, readonly port?: number }
interface Ends {
  readonly network?: { readonly transport?: string }
  readonly client?: End
  readonly server?: End
  readonly source?: End
  readonly destination?: End
}

/** Remembers which connections the records that go by are of: addresses, ports, transport. Bound: FLOWS_MAX. */
export class ChosenFlows implements Sink {
  readonly name = 'packets'
  readonly #host: SinkHost
  /** Each of both ways, as the bytes of an event (`keyOf`). */
  readonly #keys = new Set<string>()
  /** Records that tell no connection. */
  withoutFlow = 0
  /** Records of connections for which there was no room. */
  beyond = 0

  constructor(host: SinkHost) {
    this.#host = host
  }

  get count(): number {
    return this.#keys.size / 2
  }

  write(batch: SafeBatch): void {
    const text = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length).toString()
    for (const line of text.split('\n')) if (line !== '') this.#add(JSON.parse(line) as Ends)
    this.#host.settled(batch, 0)
  }

  /** Whether a packet is of one of them. @param event place of its struct packet_event */
  has({ u8 }: ByteMemory, event: number): boolean {
    const ends = Buffer.from(u8.buffer, event + P.source_address, P.data_offset - P.source_address)
    return this.#keys.has(keyOf(ends, u8[event + P.ip_protocol] as number))
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  health(): SinkHealth {
    return { name: this.name, queuedBytes: 0, queuedRecords: 0, writtenRecords: 0, writtenBytes: 0, droppedRecords: NONE }
  }

  #add({ network, client, server, source, destination }: Ends): void {
    const [from, to] = [client ?? source, server ?? destination]
    const protocol = PROTOCOL.get(network?.transport ?? '')
    if (from?.address === undefined || to?.address === undefined || from.port === undefined || to.port === undefined || protocol === undefined) {
      this.withoutFlow++
      return
    }
    const there = keyOf(endsOf(from.address, from.port, to.address, to.port), protocol)
    if (this.#keys.has(there)) return
    if (this.count >= FLOWS_MAX) {
      this.beyond++
      return
    }
    this.#keys.add(there)
    this.#keys.add(keyOf(endsOf(to.address, to.port, from.address, from.port), protocol))
  }
}

/** As they stand in struct packet_event: both addresses, what IPv4 lacks is 0, then both ports. */
function endsOf(fromAddress: string, fromPort: number, toAddress: string, toPort: number): Buffer {
  const ends = Buffer.alloc(2 * ADDRESS_BYTES + 4)
  ends.set(parseCidr(fromAddress).bytes, 0)
  ends.set(parseCidr(toAddress).bytes, ADDRESS_BYTES)
  ends.writeUInt16LE(fromPort, 2 * ADDRESS_BYTES)
  ends.writeUInt16LE(toPort, 2 * ADDRESS_BYTES + 2)
  return ends
}

function keyOf(ends: Buffer, protocol: number): string {
  return ends.toString('latin1') + String.fromCharCode(protocol)
}
