// A worker thread that blocks until a ring buffer has something, then says how many bytes it read.
import { parentPort, workerData } from 'node:worker_threads'

import type { MapHandle } from '../bpf-map.ts'
import { RingBuffer } from '../ring-buffer.ts'

const ring = new RingBuffer(workerData as MapHandle)
parentPort?.postMessage('waiting')
const isReady = ring.wait(10_000)
const copied = ring.read(new Uint8Array(4096), 0, 4096)
ring.close()
parentPort?.postMessage({ isReady, copied })
