import { BpfError } from './bpf-error.ts'
import { possibleCpus } from './cpus.ts'
import { libbpf, libc } from './libbpf.ts'
import type { Pointer } from './libbpf.ts'
import { MappedMemory, pageSizeBytes } from './mapped-memory.ts'
import { fail, failureOf, lastFailure } from './syscall.ts'
import { BPF_F_MMAPABLE, MapType, UpdateFlag, nameOf } from './uapi.ts'

/** What a worker thread of the same process needs to use a map; survives `postMessage`. */
export interface MapHandle {
  readonly name: string
  readonly type: MapType
  readonly fd: number
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
}

const PER_CPU_TYPES: ReadonlySet<MapType> =
  new Set(['percpu_array', 'percpu_hash', 'lru_percpu_hash', 'percpu_cgroup_storage'])

/** A BPF map: created by `BpfObject.load` or `create`, or taken over from another thread by `fromHandle`. */
export class BpfMap {
  readonly name: string
  #pointer: Pointer | undefined
  #handle: MapHandle | undefined
  #memory: MappedMemory | undefined
  /** The descriptor is this map's to close. */
  #isOwner = false
  #state: 'open' | 'loaded' | 'closed'

  /** Called by BpfObject. */
  constructor(name: string, source: Pointer | MapHandle) {
    this.name = name
    if (typeof source === 'bigint') {
      this.#pointer = source
      this.#state = 'open'
    } else {
      this.#handle = source
      this.#state = 'loaded'
    }
  }

  /** The map of another thread. The descriptor stays the other thread's: it must outlive this use. */
  static fromHandle(handle: MapHandle): BpfMap {
    return new BpfMap(handle.name, handle)
  }

  /**
   * A map of no object, for instance one of those in a map of maps. It is gone when it is closed, and nothing else holds it.
   *
   * @throws BpfError of bpf(2): EINVAL for sizes that the type does not take, EPERM without CAP_BPF
   */
  static create({ name, type, keySize, valueSize, maxEntries }: Omit<MapHandle, 'fd' | 'flags'>): BpfMap {
    // SAFETY: libbpf copies the name during the call; no options are passed.
    const fd = libbpf.bpf_map_create(MapType[type], name, keySize, valueSize, maxEntries, null)
    if (fd < 0) fail(`Cannot create the map "${name}"`, failureOf(fd))
    const map = new BpfMap(name, { name, type, fd, keySize, valueSize, maxEntries, flags: 0 })
    map.#isOwner = true
    return map
  }

  /** A plain object to send to a worker thread. */
  get handle(): MapHandle {
    // Asking for the descriptor refuses a map that is not in the kernel.
    return { ...this.#describe(), fd: this.fd }
  }

  get type(): MapType {
    return this.#handle?.type ?? nameOf(MapType, this.#ask(libbpf.bpf_map__type))
  }

  /** Bytes of a key. */
  get keySize(): number {
    return this.#handle?.keySize ?? this.#ask(libbpf.bpf_map__key_size)
  }

  /** Bytes of a value; of a per-CPU map, the value of one CPU. */
  get valueSize(): number {
    return this.#handle?.valueSize ?? this.#ask(libbpf.bpf_map__value_size)
  }

  /** Entries, or bytes for a ring buffer. */
  get maxEntries(): number {
    return this.#handle?.maxEntries ?? this.#ask(libbpf.bpf_map__max_entries)
  }

  /** `map_flags` of its definition. */
  get flags(): number {
    return this.#handle?.flags ?? this.#ask(libbpf.bpf_map__map_flags)
  }

  /** Whether it holds global variables (`.rodata`, `.data`, `.bss`). */
  get isInternal(): boolean {
    return this.#pointer !== undefined && this.#ask(libbpf.bpf_map__is_internal)
  }

  /** The file descriptor. @throws BpfError EBADF before `load` and after `close`. */
  get fd(): number {
    const fd = this.#handle?.fd ?? -1
    if (this.#state === 'loaded' && fd >= 0) return fd
    const why = this.#state === 'open' ? 'the object is not loaded; call load() first'
      : this.#state === 'closed' ? 'it is closed' : 'it was left out of load() by setAutocreate(false)'
    throw new BpfError(`Cannot use the map "${this.name}": ${why}`, 'EBADF')
  }

  /** Before `load`: entries, or bytes for a ring buffer (libbpf rounds those up to a power of two). */
  setMaxEntries(entries: number): void {
    const pointer = this.#requireOpen('resize')
    // SAFETY: the pointer is a bpf_map of an open object.
    const error = libbpf.bpf_map__set_max_entries(pointer, entries)
    if (error < 0) fail(`Cannot resize the map "${this.name}" to ${entries}`, failureOf(error))
  }

  /**
   * Before `load`: another type, for instance `perf_event_array` where there is no ring buffer. Key and
   * value sizes follow for that pair, since the two types want different ones.
   */
  setType(type: MapType): void {
    const pointer = this.#requireOpen('change the type of')
    // SAFETY: the pointer is a bpf_map of an open object.
    const error = libbpf.bpf_map__set_type(pointer, MapType[type])
    if (error < 0) fail(`Cannot make the map "${this.name}" a ${type}`, failureOf(error))
    if (type !== 'perf_event_array' && type !== 'ringbuf') return
    const size = type === 'ringbuf' ? 0 : 4
    // SAFETY: as above.
    libbpf.bpf_map__set_key_size(pointer, size)
    libbpf.bpf_map__set_value_size(pointer, size)
  }

  /** Before `load`: whether the kernel gets this map at all. Programs that load must not use it then. */
  setAutocreate(autocreate: boolean): void {
    // SAFETY: the pointer is a bpf_map of an open object.
    const error = libbpf.bpf_map__set_autocreate(this.#requireOpen('skip'), autocreate)
    if (error < 0) fail(`Cannot skip the map "${this.name}"`, failureOf(error))
  }

  /** Before `load`: use the map of another, loaded object instead of a new one; both must be of one shape. */
  reuse(map: BpfMap): void {
    // SAFETY: the pointer is a bpf_map of an open object; libbpf duplicates the descriptor.
    const error = libbpf.bpf_map__reuse_fd(this.#requireOpen('share'), map.fd)
    if (error < 0) fail(`Cannot use the map "${map.name}" as "${this.name}"`, failureOf(error))
  }

  /**
   * The value of `key`, copied into `out` when given; `undefined` when there is none.
   * Per-CPU maps answer with `lookupPerCpu`.
   */
  lookup(key: Uint8Array, out?: Uint8Array): Uint8Array | undefined {
    if (this.#isPerCpu) {
      throw new TypeError(
        `Cannot look up one value in "${this.name}": it is a ${this.type}; use lookupPerCpu()`)
    }
    this.#checkKey(key)
    if (out !== undefined) checkSize(`value buffer of the map "${this.name}"`, out, this.valueSize)
    const value = out ?? new Uint8Array(this.valueSize)
    return this.#read(key, value) ? value : undefined
  }

  /** The values of `key`, one for each possible CPU; `undefined` when there is no such key. */
  lookupPerCpu(key: Uint8Array): Uint8Array[] | undefined {
    if (!this.#isPerCpu) {
      throw new TypeError(`Cannot look up per CPU in "${this.name}": it is a ${this.type}; use lookup()`)
    }
    this.#checkKey(key)
    const stride = this.#perCpuStride
    const all = new Uint8Array(stride * possibleCpus())
    if (!this.#read(key, all)) return undefined
    return Array.from({ length: possibleCpus() }, (_, cpu) =>
      all.subarray(cpu * stride, cpu * stride + this.valueSize))
  }

  /** Sets the value of `key`; `flag` limits it to new or to present keys. Per-CPU: the same for each CPU. */
  update(key: Uint8Array, value: Uint8Array, flag: UpdateFlag = 'any'): void {
    this.#checkKey(key)
    checkSize(`value of the map "${this.name}"`, value, this.valueSize)
    let bytes = value
    if (this.#isPerCpu) {
      bytes = new Uint8Array(this.#perCpuStride * possibleCpus())
      for (let cpu = 0; cpu < possibleCpus(); cpu += 1) bytes.set(value, cpu * this.#perCpuStride)
    }
    // SAFETY: sizes were checked above; the kernel copies both during the call.
    if (libbpf.bpf_map_update_elem(this.fd, key, bytes, UpdateFlag[flag]) < 0) {
      fail(`Cannot update the map "${this.name}"`, lastFailure(), {
        E2BIG: `it holds ${this.maxEntries} entries and is full; raise max_entries with setMaxEntries()`,
        EEXIST: 'the key is there already; use the flag "any"',
        ENOENT: 'the key is not there yet; use the flag "any"',
        EPERM: 'it is frozen or this process lacks CAP_BPF',
      })
    }
  }

  /** Removes `key`; answers whether it was there. Entries of arrays cannot be removed (EINVAL). */
  delete(key: Uint8Array): boolean {
    this.#checkKey(key)
    // SAFETY: the key has the map's key size.
    if (libbpf.bpf_map_delete_elem(this.fd, key) >= 0) return true
    const failure = lastFailure()
    if (failure.code === 'ENOENT') return false
    return fail(`Cannot delete from the map "${this.name}"`, failure, {
      EINVAL: `a ${this.type} keeps its entries`,
    })
  }

  /** The key after `key`, or the first one; `undefined` at the end. A key that is gone restarts. */
  getNextKey(key?: Uint8Array): Uint8Array | undefined {
    if (key !== undefined) this.#checkKey(key)
    const next = new Uint8Array(this.keySize)
    // SAFETY: both buffers have the map's key size; NULL asks for the first key.
    if (libbpf.bpf_map_get_next_key(this.fd, key ?? null, next) >= 0) return next
    const failure = lastFailure()
    if (failure.code === 'ENOENT') return undefined
    return fail(`Cannot read the keys of the map "${this.name}"`, failure)
  }

  /**
   * All keys, each a fresh array. Ends after as many steps as the map has room, so a map that changes
   * meanwhile may show a key twice or miss one, but never keeps the caller for ever.
   */
  * keys(): Generator<Uint8Array, void, undefined> {
    let key: Uint8Array | undefined
    for (let step = 0; step < this.maxEntries; step += 1) {
      key = this.getNextKey(key)
      if (key === undefined) return
      yield key
    }
  }

  /** Removes every entry; fills the entries of an array with zeros. */
  clear(): void {
    if (this.type === 'array' || this.type === 'percpu_array') {
      const zero = new Uint8Array(this.valueSize)
      for (const key of this.keys()) this.update(key, zero)
      return
    }
    // Collected first: deleting the key an iteration stands on restarts it.
    for (const key of [...this.keys()]) this.delete(key)
  }

  /**
   * The values of an array map declared with BPF_F_MMAPABLE, shared live with the kernel: entry `n` starts
   * at `n * roundUp8(valueSize)`. One mapping per map; it is emptied by `close`.
   */
  mmap(): Uint8Array {
    if (this.#memory === undefined) {
      if ((this.flags & BPF_F_MMAPABLE) === 0 || this.type !== 'array') {
        throw new BpfError(
          `Cannot map the ${this.type} "${this.name}" into memory: it is not declared with BPF_F_MMAPABLE; `
            + 'add __uint(map_flags, BPF_F_MMAPABLE) to an array', 'EINVAL')
      }
      const used = roundUp(this.valueSize, 8) * this.maxEntries
      this.#memory = new MappedMemory({
        of: `the map "${this.name}"`,
        fd: this.fd,
        lengthBytes: roundUp(used, pageSizeBytes()),
        writable: true,
      })
    }
    return new Uint8Array(this.#memory.buffer, 0, roundUp(this.valueSize, 8) * this.maxEntries)
  }

  /** Called by BpfObject once the kernel has the map: nothing about it changes any more. */
  markLoaded(): void {
    this.#handle = { ...this.#describe(), fd: this.#ask(libbpf.bpf_map__fd) }
    this.#state = 'loaded'
  }

  /** Called by BpfObject, and by whoever created it; unmaps what `mmap` mapped. The descriptor of `fromHandle` stays the other thread's. */
  close(): void {
    // SAFETY: the descriptor is ours and is closed once.
    if (this.#isOwner && this.#state === 'loaded') libc.close(this.fd)
    this.#memory?.unmap()
    this.#memory = undefined
    // Names and sizes stay readable; libbpf's struct and the descriptor are gone.
    if (this.#pointer !== undefined) this.#handle = this.#describe()
    this.#pointer = undefined
    this.#state = 'closed'
  }

  #describe(): MapHandle {
    const { name, type, keySize, valueSize, maxEntries, flags } = this
    return { name, type, fd: -1, keySize, valueSize, maxEntries, flags }
  }

  get #isPerCpu(): boolean {
    return PER_CPU_TYPES.has(this.type)
  }

  get #perCpuStride(): number {
    return roundUp(this.valueSize, 8)
  }

  #read(key: Uint8Array, value: Uint8Array): boolean {
    // SAFETY: the key has the key size and the value the room the kernel fills, each checked by the caller.
    if (libbpf.bpf_map_lookup_elem(this.fd, key, value) >= 0) return true
    const failure = lastFailure()
    if (failure.code === 'ENOENT') return false
    return fail(`Cannot look up in the map "${this.name}"`, failure, {
      EOPNOTSUPP: `a ${this.type} has no look-up from user space`,
      ENOTSUPP: `a ${this.type} has no look-up from user space`,
    })
  }

  #checkKey(key: Uint8Array): void {
    checkSize(`key of the map "${this.name}"`, key, this.keySize)
  }

  #ask<R>(question: (pointer: Pointer) => R): R {
    // SAFETY: the pointer is a bpf_map of an object that is not closed.
    return question(this.#require())
  }

  #require(): Pointer {
    if (this.#pointer !== undefined) return this.#pointer
    throw new BpfError(`Cannot use the map "${this.name}": it is closed`, 'EBADF')
  }

  #requireOpen(verb: string): Pointer {
    if (this.#state === 'open') return this.#require()
    throw new BpfError(
      `Cannot ${verb} the map "${this.name}": it is ${this.#state}; do so before load()`, 'EBUSY')
  }
}

function checkSize(what: string, bytes: Uint8Array, sizeBytes: number): void {
  if (bytes.length === sizeBytes) return
  throw new RangeError(`Cannot use a ${what} of ${bytes.length} bytes: it has ${sizeBytes}`)
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}
