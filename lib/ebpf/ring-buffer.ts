import { BpfError } from './bpf-error.ts'
import type { MapHandle } from './bpf-map.ts'
import { EventWait } from './event-wait.ts'
import { MappedMemory, pageSizeBytes } from './mapped-memory.ts'
import { recordTooLong, requireRoom } from './read-target.ts'
import { BPF_RINGBUF_DISCARD_BIT, BPF_RINGBUF_HDR_SZ } from './uapi.ts'

/** Bits of a record's header that are its length; the two above them are busy and discard. */
const LENGTH_MASK = BPF_RINGBUF_DISCARD_BIT - 1

/**
 * The consumer's side of a BPF_MAP_TYPE_RINGBUF, mapped into this process. One consumer per ring: two
 * would both move the one position. Takes a BpfMap, or the `handle` of one in a worker thread.
 *
 * The kernel's layout (kernel/bpf/ringbuf.c, bpf_ringbuf_mmap): one page with the consumer position,
 * one with the producer position, then the data, which may be mapped twice in a row so that a record
 * that wraps is contiguous. It is mapped once here: a second mapping counts a second time as resident
 * memory, and a copy in two parts costs next to nothing.
 */
export class RingBuffer implements Disposable {
  /** Bytes the ring holds, headers included. */
  readonly sizeBytes: number
  readonly #name: string
  readonly #consumer: MappedMemory
  readonly #producer: MappedMemory
  readonly #wait: EventWait
  readonly #wakeUp: EventWait
  /** Written by us only, so the mapping is never read again. */
  readonly #consumerPosition: BigInt64Array
  readonly #producerPosition: BigInt64Array
  /** The data, for headers and for copying. */
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  #position: bigint
  #closed = false

  /**
   * @param alsoWake descriptors that end a `wait` as well when they can be read
   * @throws BpfError EINVAL when the map is no ring buffer, or what mmap(2) answers.
   */
  constructor(map: Pick<MapHandle, 'name' | 'type' | 'fd' | 'maxEntries'>, alsoWake: readonly number[] = []) {
    if (map.type !== 'ringbuf') {
      throw new BpfError(`Cannot read "${map.name}" as a ring buffer: it is a ${map.type}`, 'EINVAL')
    }
    const of = `the ring buffer "${map.name}"`
    const page = pageSizeBytes()
    this.#name = map.name
    this.sizeBytes = map.maxEntries
    this.#consumer = new MappedMemory({ of, fd: map.fd, lengthBytes: page, writable: true })
    this.#producer = new MappedMemory({
      of, fd: map.fd, lengthBytes: page + this.sizeBytes, offsetBytes: page, writable: false,
    })
    this.#consumerPosition = new BigInt64Array(this.#consumer.buffer, 0, 1)
    this.#producerPosition = new BigInt64Array(this.#producer.buffer, 0, 1)
    this.#words = new Int32Array(this.#producer.buffer, page, this.sizeBytes / 4)
    this.#bytes = new Uint8Array(this.#producer.buffer, page, this.sizeBytes)
    this.#wait = new EventWait(of, [map.fd, ...alsoWake])
    this.#wakeUp = new EventWait(of, [map.fd], 'edge')
    // A consumer before us may have left off anywhere.
    this.#position = Atomics.load(this.#consumerPosition, 0)
  }

  /** Bytes between consumer and producer, records still being written included; 0 once closed. */
  get availableBytes(): number {
    if (this.#closed) return 0
    return Number(BigInt.asUintN(64, Atomics.load(this.#producerPosition, 0) - this.#position))
  }

  /**
   * Copies complete records into `target` at `offset`, at most `length` bytes, in ring order, each as the
   * kernel keeps it: {u32 length | discard bit 30, u32 page offset}, data, padding to 8 bytes. Stops
   * before a record that is still being written; records the program discarded come along. Afterwards
   * the kernel may use their room again.
   *
   * One walk over the headers and one copy; no object and no call per record.
   * Returns the bytes copied: 0 when nothing is ready.
   * @throws RangeError when the next record is longer than `length`, or the target is too short.
   */
  read(target: Uint8Array, offset: number, length: number): number {
    requireRoom(target, offset, length)
    if (this.#closed) throw new BpfError(`Cannot read the ring buffer "${this.#name}": it is closed`, 'EBADF')
    // Loaded with acquire order: pairs with smp_store_release(&rb->producer_pos) in __bpf_ringbuf_reserve.
    const available = this.availableBytes
    if (available === 0) return 0
    // The size is a power of two.
    const start = Number(BigInt.asUintN(64, this.#position) & BigInt(this.sizeBytes - 1))
    const copied = this.#walk(start, Math.min(available, length))
    if (copied === 0) {
      this.#refuseTooLong(start, available, length)
      return 0
    }
    const first = Math.min(copied, this.sizeBytes - start)
    target.set(this.#bytes.subarray(start, start + first), offset)
    if (first < copied) target.set(this.#bytes.subarray(0, copied - first), offset + first)
    this.#position = BigInt.asIntN(64, this.#position + BigInt(copied))
    // Stored with release order, after the copy: pairs with smp_load_acquire(&rb->consumer_pos) in
    // __bpf_ringbuf_reserve, which may overwrite everything before this position.
    Atomics.store(this.#consumerPosition, 0, this.#position)
    return copied
  }

  /**
   * Blocks this thread until there is something, or for `timeoutMs` (0 asks, -1 is for ever). After true,
   * `read` may still return 0 for the moment a program takes to finish its record.
   */
  wait(timeoutMs: number): boolean {
    return this.#wait.wait(timeoutMs)
  }

  /**
   * Blocks this thread until a program wakes the reader (BPF_RB_FORCE_WAKEUP), or for `timeoutMs`; what is in the ring already
   * does not end it. A wake-up of before may: it is kept until it is asked for.
   */
  waitForWakeUp(timeoutMs: number): boolean {
    return this.#wakeUp.wait(timeoutMs)
  }

  /** Unmaps the ring; what was not read stays for the next consumer. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#wait.close()
    this.#wakeUp.close()
    this.#consumer.unmap()
    this.#producer.unmap()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Bytes of whole, finished records from `start` on, at most `limit`. */
  #walk(start: number, limit: number): number {
    const words = this.#words
    const mask = this.sizeBytes - 1
    let walked = 0
    while (walked < limit) {
      // Atomic, since the busy bit goes by the xchg in bpf_ringbuf_commit: with the bit seen clear, the
      // record's data is seen as well.
      const header = Atomics.load(words, ((start + walked) & mask) >>> 2)
      if (header < 0) break
      const next = walked + recordBytes(header)
      if (next > limit) break
      walked = next
    }
    return walked
  }

  #refuseTooLong(start: number, available: number, length: number): void {
    if (available <= length) return
    const header = Atomics.load(this.#words, start >>> 2)
    if (header < 0 || recordBytes(header) <= length) return
    throw recordTooLong(this.#name, length, recordBytes(header))
  }
}

/** Bytes a record takes in the ring: header, data, padding to 8. */
function recordBytes(header: number): number {
  return ((header & LENGTH_MASK) + BPF_RINGBUF_HDR_SZ + 7) & ~7
}
