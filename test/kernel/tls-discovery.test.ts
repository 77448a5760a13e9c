/** How long probes stay in a file. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { TlsSource } from '../../src/capture/tls/mod.ts'
import { Running } from '../gateway/testing/process.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { ProgramBench } from './testing/program-bench.ts'

const SWEEP_MS = 20
const SWEEPS = 10
const WAIT_MS = 20_000

function opensslPath(): string {
  const folder = readdirSync('/usr/lib').find((name) => name.endsWith('-linux-gnu'))!
  return join('/usr/lib', folder, 'libssl.so.3')
}

/** A process that maps the library, and waits. */
async function mapping(library: string): Promise<Running> {
  const process = new Running('python3', ['-u', '-c', `import ctypes, time; ctypes.CDLL('${library}'); print('mapped'); time.sleep(60)`])
  await process.until(() => process.output.includes('mapped'), 'mapped library')
  return process
}

kernelTest('probes stay in a file that nobody maps while it is on the disk, and go once it is gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-test-'))
  const library = join(folder, 'libssl.so.3')
  copyFileSync(opensslPath(), library)
  using bench = new ProgramBench()
  const source = new TlsSource({
    events: bench.object.map('events'), reader: bench.object.map('reader'), wants: (path) => path.startsWith(folder), sweepMs: SWEEP_MS,
  })
  const isRead = (): boolean => source.binaries().some((binary) => binary.path === library && binary.isRead)
  const sweep = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      await delay(SWEEP_MS + 5)
      source.follow()
    }
  }
  const until = async (holds: () => boolean): Promise<void> => {
    for (const start = performance.now(); !holds(); await sweep(1)) assert.ok(performance.now() - start < WAIT_MS)
  }
  const first = await mapping(library)
  try {
    await until(isRead)
    await first.stop('SIGKILL')
    await sweep(SWEEPS)
    assert.ok(isRead(), 'it may be mapped again any moment')
    const second = await mapping(library)
    rmSync(library)
    await sweep(SWEEPS)
    assert.ok(isRead(), 'it is mapped still')
    await second.stop('SIGKILL')
    await until(() => !isRead())
    assert.deepEqual(source.binaries(), [])
  } finally {
    await first.stop('SIGKILL')
    source.detach()
    source.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
