// A worker thread that runs the program `hold_one`, which keeps a record busy until it is released.
import { parentPort, workerData } from 'node:worker_threads'

import { runTest } from '../test-run.ts'

const { fd } = workerData as { fd: number }
runTest({ name: 'hold_one', fd }, new Uint8Array(), { context: new Uint8Array(16) })
parentPort?.postMessage('released')
