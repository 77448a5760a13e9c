import { randomBytes } from 'node:crypto'
import type { ByteMemory } from '../../lib/bytes/mod.ts'
import { ACTION_DROP, ADDRESS_ANONYMISE, ADDRESS_KEEP, ADDRESS_TRUNCATE } from '../../wasm/wall-numbers.ts'
import { compileAutomaton } from './automaton.ts'
import { CREDENTIAL_PATTERNS } from './credential-patterns.ts'
import { CustomPatterns } from './custom-patterns.ts'
import { ALL_STANDARD, type FieldChoice, fieldChecks } from './field-rules.ts'
import { deriveAddressKey, readHashKey } from './hash-key.ts'
import { ALL_HEADERS, type HeaderChoice, HeaderRules } from './header-rules.ts'
import type { PrivacyOptions } from './options.ts'
import { SafeRecord } from './safe-record.ts'
import { secretNameRules } from './secret-names.ts'
import { bindImports, wallImports, type WallImports } from './wall-imports.ts'
import type { WallExports } from './wall-exports.ts'

/** A record of raw values at `pointer`, as `RecordWriter` makes it. */
export interface RawRecord {
  readonly pointer: number
  readonly length: number
}

/** What is logged at all; the defaults are every standard field and every header. */
export interface WallChoice {
  readonly fields?: FieldChoice
  readonly headers?: HeaderChoice
}

/** What the wall did since the start. */
export interface WallCounters {
  /** Values, or parts of values, that were hidden. */
  hidden: number
  /** Those of them for which a keyed hash stands. */
  hashed: number
  /** Texts whose end was hidden because the result would have been too long. */
  cut: number
  /** Header names whose decision is kept. */
  names: number
  /** Decisions made afresh because the name was too long to be kept. */
  namesNotKept: number
  /** Times that the table of names was full and begun anew. */
  nameTableCleared: number
  /** Headers dropped because the name itself held a credential. */
  namesWithCredentials: number
  /** Records that had no room behind the wall. */
  recordsTooLarge: number
  /** Credentials found in values, by the name of their pattern. */
  credentials: ReadonlyMap<string, number>
}

const RECORD_ROOM = 4 * 1024 * 1024
const TABLE_ROOM = 1024 * 1024
const NAME_TABLE_ROOM = 512 * 1024
const SPANS_BYTES = 512
const NAMES_MAX = 4096

/**
 * The privacy wall: raw records and exchanges in, records without secrets out. Everything behind it (filters,
 * sinks, stores) takes SafeRecords, which only a Wall makes.
 *
 * One wall per ByteMemory, which must be made with `Wall.imports()`.
 */
export class Wall {
  readonly #memory: ByteMemory
  readonly #exports: WallExports
  readonly #record: number
  readonly #credentialTable: number
  readonly #nameTable: number
  readonly #spans: number
  readonly #counters: number
  readonly #counterNames: string[] = []
  #rules: HeaderRules
  #custom: CustomPatterns
  #namesWithCredentials = 0
  #recordsTooLarge = 0

  /** Imports for `new ByteMemory({ imports })`. */
  static imports(): WallImports {
    return wallImports()
  }

  /**
   * @throws {Error} when the memory was made with other imports,
   *   or an option cannot be used (see `setOptions`)
   * @throws {RangeError} when the shared memory is full
   */
  constructor(memory: ByteMemory, options: PrivacyOptions, choice: WallChoice = {}) {
    this.#memory = memory
    this.#exports = memory.exports<WallExports>()
    bindImports({
      decideHeader: (pointer, length, response) => this.#decide(pointer, length, response !== 0),
      findCredential: (pointer, length) => this.#findCustom(pointer, length),
    }, () => this.#exports.linkDecisions())
    const scratch = this.#exports.textMax() + 64
    this.#record = memory.reserve(RECORD_ROOM)
    this.#credentialTable = memory.reserve(TABLE_ROOM)
    this.#nameTable = memory.reserve(NAME_TABLE_ROOM)
    this.#spans = memory.reserve(SPANS_BYTES)
    this.#counters = memory.reserve(8 * 512)
    memory.u8.fill(0, this.#counters, this.#counters + 8 * 512)
    this.#exports.setSearchMemory(memory.reserve(scratch), memory.reserve(scratch), memory.reserve(scratch),
      this.#spans, this.#counters)
    this.#rules = new HeaderRules([], false, ALL_HEADERS)
    this.#custom = new CustomPatterns([])
    this.setOptions(options, choice)
  }

  /**
   * Takes other options, for records from now on. When it throws, those before stay in force.
   *
   * @throws {Error} naming the option: a key that cannot be read or is too short,
   *   `hash` or `anonymise` without a key, a
   *   pattern that is not valid or cannot run in linear time
   */
  setOptions(options: PrivacyOptions, choice: WallChoice = {}): void {
    const key = readHashKey(options)
    try {
      const keyed = key !== undefined
      if (options.addresses === 'anonymise' && !keyed) {
        throw new Error('Cannot anonymise addresses: no key is configured; set privacy.hash_key_file, ' +
          'privacy.hash_key_env or '
          + 'privacy.hash_key_ephemeral')
      }
      const rules = new HeaderRules(options.headers, keyed, choice.headers ?? ALL_HEADERS)
      const custom = new CustomPatterns(options.credentials.patterns)
      const checks = fieldChecks(choice.fields ?? ALL_STANDARD)
      const names = compileAutomaton(secretNameRules(options.query.secret_names, options.query.plain_names))
      const patterns = this.#compilePatterns()
      if (names.length > NAME_TABLE_ROOM) {
        throw new Error(`Cannot use privacy.query: its ` +
          `${options.query.secret_names.length + options.query.plain_names.length} names `
          + 'need too much memory; use fewer or shorter ones')
      }
      this.#rules = rules
      this.#custom = custom
      this.#memory.write(this.#nameTable, names)
      this.#memory.write(this.#credentialTable, patterns)
      this.#exports.setNameTable(this.#nameTable)
      this.#exports.setCredentialTable(this.#credentialTable, custom.any ? 1 : 0, options.credentials.cards ?
        1 : 0)
      this.#exports.resetDecisions(randomBytes(4).readUInt32LE(), NAMES_MAX)
      this.#memory.write(this.#exports.fieldChecks(), checks)
      this.#setChosenFields(checks)
      this.#exports.setHidesNeverIndexed(options.never_indexed === 'redact' ? 1 : 0)
      this.#setKey(key)
      this.#setAddresses(options.addresses, key)
    } finally {
      key?.fill(0)
    }
  }

  /** An EXCHANGE block as a record. The record is valid until the next call. */
  exchange(pointer: number): SafeRecord {
    return this.#safe(this.#exports.writeExchange(pointer, this.#record, RECORD_ROOM))
  }

  /** A record of raw values with each checked by its field's sensitivity. Valid until the next call. */
  record(raw: RawRecord): SafeRecord {
    return this.#safe(this.#exports.writeRecordBehindWall(raw.pointer, this.#record, RECORD_ROOM))
  }

  /** What the wall did since it was made. */
  counters(): WallCounters {
    const credentials = new Map<string, number>()
    for (const [index, name] of this.#counterNames.entries()) {
      const count = this.#memory.f64[(this.#counters >> 3) + index] ?? 0
      if (count > 0) credentials.set(name, count)
    }
    for (const [name, count] of this.#custom.counts) if (count > 0) credentials.set(name,
      (credentials.get(name) ?? 0) + count)
    return {
      hidden: this.#exports.hiddenValues(),
      hashed: this.#exports.hashedValues(),
      cut: this.#exports.cutTexts(),
      names: this.#exports.decisionNames(),
      namesNotKept: this.#exports.decisionsNotKept(),
      nameTableCleared: this.#exports.decisionTablesCleared(),
      namesWithCredentials: this.#namesWithCredentials,
      recordsTooLarge: this.#recordsTooLarge,
      credentials,
    }
  }

  #safe(length: number): SafeRecord {
    if (length === 0) this.#recordsTooLarge++
    return new SafeRecord(this.#record, length)
  }

  #decide(pointer: number, length: number, response: boolean): number {
    // Names are logged as they are, so a credential in one must not get there.
    if (this.#exports.holdsCredential(pointer, length) !== 0) {
      this.#namesWithCredentials++
      return ACTION_DROP
    }
    return this.#rules.decide(this.#memory.latin1(pointer, length), response)
  }

  #findCustom(pointer: number, length: number): number {
    return this.#custom.find(this.#memory.latin1(pointer, length),
      this.#memory.u32.subarray(this.#spans >> 2, (this.#spans + SPANS_BYTES) >> 2))
  }

  #compilePatterns(): Uint8Array {
    const numbers = new Map<string, number>()
    const table = compileAutomaton(CREDENTIAL_PATTERNS.map((pattern) => {
      const counter = numbers.get(pattern.name) ?? numbers.size
      numbers.set(pattern.name, counter)
      return { ...pattern, counter }
    }))
    if (table.length > TABLE_ROOM ||
      numbers.size > 512) throw new RangeError(`Cannot use ${CREDENTIAL_PATTERNS.length} patterns: no room`)
    this.#counterNames.splice(0, this.#counterNames.length, ...numbers.keys())
    return table
  }

  /** The exchange writer has its own list of fields that go into records. */
  #setChosenFields(checks: Uint8Array): void {
    const chosen = this.#exports.chosenFields?.()
    if (chosen === undefined) return
    this.#memory.write(chosen, checks.map((check) => (check === 0 ? 0 : 1)))
  }

  #setKey(key: Buffer | undefined): void {
    this.#exports.setHashing(0)
    if (key === undefined) return
    this.#withBytes(key, (pointer) => this.#exports.setHmacKey(pointer, key.length))
    this.#exports.setHashing(1)
  }

  #setAddresses(addresses: PrivacyOptions['addresses'], key: Buffer | undefined): void {
    if (typeof addresses === 'object') {
      this.#exports.setAddressMode(ADDRESS_TRUNCATE, addresses.truncate.ipv4, addresses.truncate.ipv6)
      return
    }
    if (addresses === 'anonymise' && key !== undefined) {
      const derived = deriveAddressKey(key)
      this.#withBytes(derived, (pointer) => this.#exports.setAddressKey(pointer))
      derived.fill(0)
    }
    this.#exports.setAddressMode(addresses === 'anonymise' ? ADDRESS_ANONYMISE : ADDRESS_KEEP, 32, 128)
  }

  /** Lends the module a copy of secret bytes in the record's region, wiped afterwards. */
  #withBytes(bytes: Uint8Array, use: (pointer: number) => void): void {
    this.#memory.write(this.#record, bytes)
    use(this.#record)
    this.#memory.u8.fill(0, this.#record, this.#record + bytes.length)
  }
}
