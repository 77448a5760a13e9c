import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { ByteMemory } from '../lib/bytes/mod.ts'
import { PacketCopy } from '../src/capture/mod.ts'
import type { Config } from '../src/config.ts'
import type { Sink, SinkHost } from '../src/sink/mod.ts'
import { ChosenFlows } from './chosen-flows.ts'
import { UsageError } from './exit.ts'

const CHUNK_BYTES = 1 << 20

/**
 * `lintel replay --packets FILE`: which connections were logged is known at the end of the replay; then the capture files are read once
 * more, and the packets of these connections are copied, those before their first record among them.
 *
 * Packets are copied raw, secrets and all. That is why they come out of a capture file only, which has them anyway.
 */
export class PacketExport {
  readonly #path: string
  readonly #files: readonly string[]
  #flows: ChosenFlows | undefined

  /** @throws {UsageError} when the packets cannot be told, or the file is there already */
  constructor(path: string, { files, privacy }: Config) {
    if (privacy.addresses !== 'keep') {
      throw new UsageError('Cannot choose packets by records: privacy.addresses of the config hides their addresses; ' +
        'leave it at "keep" for --packets')
    }
    const once = files.find(file => file === '-' || statSync(file).isFile() === false)
    if (once !== undefined) throw new UsageError(`Cannot write the packets of "${once}": it is read twice, which only a file can be; save it first`)
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) {
      throw new UsageError(`Cannot write packets to "${path}": it is there already; choose another name or remove it`)
    }
    this.#path = path
    this.#files = files
  }

  /** The output that the replay gives its records to. */
  flows(host: SinkHost): Sink {
    return this.#flows = new ChosenFlows(host)
  }

  /**
   * After the replay.
   *
   * @returns what was written, for people; not complete: connections had no room, or a file is damaged
   * @throws {Error} when it cannot be written; nothing stays then
   */
  write(): { readonly isComplete: boolean, readonly text: string } {
    const flows = this.#flows
    if (flows === undefined) throw new Error(`Cannot write packets to "${this.#path}": there was no replay`)
    const part = `${this.#path}.part`
    const file = new ChunkedFile(part)
    try {
      const memory = new ByteMemory()
      const copy = new PacketCopy(memory, bytes => { file.write(bytes) }, event => flows.has(memory, event))
      const damaged = this.#files.filter(path => copy.file(path).entries().size > 0)
      file.close()
      renameSync(part, this.#path)
      return { isComplete: damaged.length === 0 && flows.beyond === 0, text: this.#told(flows, copy, damaged.length) }
    } catch (error) {
      rmSync(part, { force: true })
      throw new Error(`Cannot write packets to "${this.#path}": ${(error as Error).message}`, { cause: error })
    }
  }

  #told(flows: ChosenFlows, { counts }: PacketCopy, damaged: number): string {
    const lacks = [
      [flows.withoutFlow, 'records tell no connection'], [flows.beyond, 'records are of connections beyond the bound of a million'],
      [counts.fragments, 'fragments of IP, which do not tell their connection, are left out'], [damaged, 'files are damaged'],
    ].filter(([count]) => count as number > 0).map(([count, text]) => `; ${count} ${text}`)
    return `packets: ${counts.copied} of ${counts.seen}, of ${flows.count} connections, in ${this.#path} (raw, with their secrets)${lacks.join('')}`
  }
}

/** Written in chunks; for its owner only, since packets hold secrets. */
class ChunkedFile {
  readonly #file: number
  readonly #chunk = Buffer.alloc(CHUNK_BYTES)
  #filled = 0

  constructor(path: string) {
    this.#file = openSync(path, 'wx', 0o600)
  }

  /** Of at most a chunk. */
  write(bytes: Uint8Array): void {
    if (this.#filled + bytes.length > CHUNK_BYTES) this.#flush()
    this.#chunk.set(bytes, this.#filled)
    this.#filled += bytes.length
  }

  close(): void {
    this.#flush()
    closeSync(this.#file)
  }

  #flush(): void {
    for (let at = 0; at < this.#filled;) at += writeSync(this.#file, this.#chunk, at, this.#filled - at)
    this.#filled = 0
  }
}
