import type { ByteMemory } from '../../lib/bytes/mod.ts'
import type { Cidr } from '../../lib/cidr/mod.ts'
import { ODDITY_NAMES } from '../decode/mod.ts'

interface ExchangeExports {
  setClockZero(epochNanoseconds: bigint): void
  setOddityName(bit: number, name: number, length: number): void
  setProtocolName(index: number, name: number, length: number): void
  setInterfaceName(index: number, name: number, length: number): number
  clearInterfaceNames(): void
  setTrusted(prefixes: number, count: number): number
  setRecordInt(record: number, field: number, value: number): number
}

const PREFIX_BYTES = 20
/** As in wasm/client-address.ts. */
const TRUSTED_MAX = 1024
const INTERFACE_NAME_BYTES_MAX = 16

/**
 * What `writeExchange` (wasm/exchange.ts) must know beside the blocks: the clock's zero, names of oddities and interfaces,
 * and whose Forwarded headers are believed.
 */
export class RecordSetup {
  readonly #memory: ByteMemory
  readonly #exports: ExchangeExports
  readonly #names = new Set<number>()
  readonly #scratch: number
  readonly #networks: number

  constructor(memory: ByteMemory) {
    this.#memory = memory
    this.#exports = memory.exports<ExchangeExports>()
    this.#scratch = memory.reserve(INTERFACE_NAME_BYTES_MAX)
    this.#networks = memory.reserve(TRUSTED_MAX * PREFIX_BYTES)
    ODDITY_NAMES.forEach((name, bit) => {
      const bytes = Buffer.from(name)
      const pointer = memory.reserve(bytes.length)
      memory.write(pointer, bytes)
      this.#exports.setOddityName(bit, pointer, bytes.length)
    })
  }

  /** Names of the user's own decoders, by their place. */
  nameProtocols(names: readonly string[]): void {
    names.forEach((name, index) => {
      const bytes = Buffer.from(name)
      const pointer = this.#memory.reserve(bytes.length)
      this.#memory.write(pointer, bytes)
      this.#exports.setProtocolName(index, pointer, bytes.length)
    })
  }

  setClockZero(epochNanoseconds: bigint): void {
    this.#exports.setClockZero(epochNanoseconds)
  }

  /** Makes an interface's name known, once. */
  nameInterface(index: number, nameOf: (index: number) => string | undefined): void {
    if (this.#names.has(index)) return
    const name = nameOf(index)
    if (name === undefined || name === '') return // asked with every exchange of a pcap file, which names none
    const bytes = Buffer.from(name).subarray(0, INTERFACE_NAME_BYTES_MAX)
    this.#memory.write(this.#scratch, bytes)
    this.#exports.setInterfaceName(index, this.#scratch, bytes.length)
    this.#names.add(index)
  }

  /** Another source has other interfaces under the same indices. */
  forgetInterfaces(): void {
    this.#exports.clearInterfaceNames()
    this.#names.clear()
  }

  /**
   * Networks whose proxies are believed.
   *
   * @returns what takes them
   * @throws {RangeError} for more networks than the byte module takes
   */
  prepareTrust(networks: readonly Cidr[]): () => void {
    if (networks.length > TRUSTED_MAX) {
      throw new RangeError(`Cannot trust ${networks.length} networks of proxies: at most ${TRUSTED_MAX} can be; join some of them`)
    }
    return () => {
      const { u8 } = this.#memory
      networks.forEach(({ bits, bytes }, index) => {
        const at = this.#networks + index * PREFIX_BYTES
        u8.fill(0, at, at + PREFIX_BYTES)
        u8[at] = bytes.length === 4 ? 4 : 6
        u8[at + 1] = bits
        u8.set(bytes, at + 4)
      })
      this.#exports.setTrusted(this.#networks, networks.length)
    }
  }

  /** Puts a number into an int field of a finished record. */
  setInt(record: number, field: number, value: number): void {
    this.#exports.setRecordInt(record, field, value)
  }
}
