import { BpfMap } from '../../../lib/ebpf/mod.ts'
import type { BpfObject, MapHandle } from '../../../lib/ebpf/mod.ts'
import type { FlowShare } from '../flow-share.ts'
import { wordBytes } from './map-word.ts'

/** What a worker beside the first needs of the programs that the first has loaded; survives `postMessage`. */
export interface KernelShard {
  readonly share: FlowShare
  readonly seesBothDirections: boolean
  readonly ring: MapHandle
  readonly reader: MapHandle
  readonly directives: MapHandle
}

/** The rings of the workers beside the first, whose ring is the map `events`: see bpf/shards.h. */
export class EventRings implements Disposable {
  readonly #object: BpfObject
  readonly #others: readonly BpfMap[]

  /** @param object loaded for so many `shards`, nothing attached yet; @throws BpfError when a ring cannot be made */
  constructor(object: BpfObject, shards: number) {
    this.#object = object
    if (shards === 1) {
      this.#others = []
      return
    }
    const others: BpfMap[] = []
    this.#others = others
    try {
      const { maxEntries } = object.map('events')
      for (let shard = 1; shard < shards; shard++) {
        others.push(BpfMap.create({ name: `events_${shard}`, type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries }))
      }
      const rings = [object.map('events'), ...others]
      rings.forEach(({ fd }, shard) => { object.map('rings').update(wordBytes(shard), wordBytes(fd)) })
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** For the workers beside the first, in order. */
  shards(seesBothDirections: boolean): KernelShard[] {
    const [reader, directives] = [this.#object.map('reader').handle, this.#object.map('directives').handle]
    return this.#others.map((ring, index) => (
      { share: { index: index + 1, count: this.#others.length + 1 }, seesBothDirections, ring: ring.handle, reader, directives }))
  }

  /** What a worker has mapped stays until it unmaps it. */
  close(): void {
    for (const ring of this.#others) ring.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
