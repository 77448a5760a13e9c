/** A wall and the functions of the byte module around it, for tests that hand it texts. */
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { type PrivacyInput, privacySchema, Wall, type WallChoice } from '../../src/privacy/mod.ts'
import { ACTION_DROP } from '../../wasm/wall-numbers.ts'

type TextWriter = (pointer: number, length: number, out: number) => number

interface ProbeExports {
  headerAction(name: number, length: number, id: number, response: number): number
  writeValue(action: number, value: number, length: number, out: number): number
  writeQuery: TextWriter
  writePath: TextWriter
  writeText: TextWriter
  writeAddress(version: number, address: number, out: number): void
  writeMac(mac: number, out: number): void
  valueFlags(): number
  sha256(data: number, length: number, out: number): void
  setHmacKey(key: number, length: number): void
  hmacSha256(data: number, length: number, out: number): void
}

const ROOM = 1 << 20

export class WallProbe {
  /** Times that the byte module asked for the action of a name. */
  decisions = 0
  readonly memory: ByteMemory
  readonly wall: Wall
  readonly bytes: ProbeExports
  readonly input: number
  readonly output: number

  constructor(options: PrivacyInput = {}, choice: WallChoice = {}) {
    const path = process.env['LINTEL_WASM']
    const made = Wall.imports()
    const imports = { ...made, decideHeader: (pointer: number, length: number, response: number): number => {
      if (pointer !== 0) this.decisions++
      return made.decideHeader(pointer, length, response)
    } }
    this.memory = new ByteMemory(path === undefined ? { imports } : { path, imports })
    this.wall = new Wall(this.memory, privacySchema.parse(options), choice)
    this.bytes = this.memory.exports<ProbeExports>()
    this.input = this.memory.reserve(ROOM)
    this.output = this.memory.reserve(4 * ROOM + 160)
  }

  #run(text: string | Uint8Array, write: (length: number) => number): string {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
    this.memory.write(this.input, bytes)
    const length = write(bytes.length)
    if (length > 4 * bytes.length + 160) throw new RangeError(`wrote ${length} bytes for ${bytes.length}`)
    return this.memory.latin1(this.output, length)
  }

  action(name: string, response = false): number {
    this.memory.write(this.input, Buffer.from(name, 'latin1'))
    return this.bytes.headerAction(this.input, name.length, 0, response ? 1 : 0)
  }

  /** What is logged of a header; undefined = dropped. */
  header(name: string, value: string | Uint8Array, response = false): string | undefined {
    const action = this.action(name.toLowerCase(), response)
    if (action === ACTION_DROP) return undefined
    return this.#run(value, (length) => this.bytes.writeValue(action, this.input, length, this.output))
  }

  query(text: string | Uint8Array): string {
    return this.#run(text, (length) => this.bytes.writeQuery(this.input, length, this.output))
  }

  path(text: string | Uint8Array): string {
    return this.#run(text, (length) => this.bytes.writePath(this.input, length, this.output))
  }

  text(text: string | Uint8Array): string {
    return this.#run(text, (length) => this.bytes.writeText(this.input, length, this.output))
  }

  address(version: 4 | 6, bytes: Uint8Array): Uint8Array {
    this.memory.write(this.input, bytes)
    this.bytes.writeAddress(version, this.input, this.output)
    return this.memory.read(this.output, version === 4 ? 4 : 16)
  }

  mac(bytes: Uint8Array): Uint8Array {
    this.memory.write(this.input, bytes)
    this.bytes.writeMac(this.input, this.output)
    return this.memory.read(this.output, 6)
  }
}

/** A generator of numbers in [0, 1) that repeats itself for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
