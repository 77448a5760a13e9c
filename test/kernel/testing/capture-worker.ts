/** A KernelSource in a worker thread of another network namespace: tells how many requests it read. */
import { parentPort, workerData } from 'node:worker_threads'

import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { inNetworkNamespace } from '../../../lib/ebpf/mod.ts'
import { KernelSource } from '../../../src/capture/kernel/mod.ts'
import { recordsOf } from './records.ts'

const ROOM_BYTES = 1 << 20
const { namespace, port } = workerData as { namespace: string; port: number }
const memory = new ByteMemory()
const pointer = memory.reserve(ROOM_BYTES)

inNetworkNamespace(`/run/netns/${namespace}`, () => {
  const source = new KernelSource({ memory, interfaces: ['lo'], filters: { ports: [[port, port]] } })
  parentPort?.postMessage('ready')
  let requests = 0
  while (requests < 5) {
    source.wait(10_000)
    for (let length = source.fill(pointer, ROOM_BYTES); length > 0; length = source.fill(pointer, ROOM_BYTES)) {
      requests += recordsOf(memory.u8.subarray(pointer, pointer + length))
        .filter((record) => record.data.toString('latin1').startsWith('POST')).length
    }
  }
  parentPort?.postMessage({ requests })
  source.close()
})
