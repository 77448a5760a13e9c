import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SafeBatch } from './batch.ts'
import type { LogLevel, Sink, SinkHost } from './sink.ts'

/** A host that remembers what it was told. */
export class RecordingHost implements SinkHost {
  readonly fates: { readonly batch: SafeBatch, readonly written: number, readonly reason: string | undefined }[] = []
  readonly logs: string[] = []
  readonly endings: (string | undefined)[] = []

  settled(batch: SafeBatch, written: number, reason?: string): void {
    this.fates.push({ batch, written, reason })
  }

  ended(_name: string, error?: string): void {
    this.endings.push(error)
  }

  log(level: LogLevel, message: string): void {
    this.logs.push(`${level}: ${message}`)
  }

  get written(): number {
    return this.fates.reduce((sum, fate) => sum + fate.written, 0)
  }

  get reasons(): readonly (string | undefined)[] {
    return [...new Set(this.fates.map(fate => fate.reason).filter(reason => reason !== undefined))]
  }
}

/** Whole NDJSON lines of exchanges: `{"kind":"exchange","n":first}`, ... each padded to `lineBytes` when given. */
export function makeBatch(first: number, count: number, lineBytes = 0): SafeBatch {
  const lines = Array.from({ length: count }, (_, index) => {
    const head = `{"kind":"exchange","n":${first + index}`
    const pad = Math.max(0, lineBytes - head.length - ',"pad":""}\n'.length)
    return lineBytes === 0 ? `${head}}\n` : `${head},"pad":"${'x'.repeat(pad)}"}\n`
  })
  return { bytes: new Uint8Array(Buffer.from(lines.join(''))), count, kinds: [count, 0, 0, 0, 0, 0], outputs: 1 }
}

/**
 * What every sink must hold to.
 *
 * @param open makes a sink whose queue takes at least 100 batches of 100 bytes; `collect` waits for what it delivered, as text
 */
export function sinkSuite(kind: string, open: (host: SinkHost) => Promise<{ sink: Sink, collect: () => Promise<string> }>): void {
  test(`${kind}: every batch is settled once, in order, and delivered`, async () => {
    const host = new RecordingHost()
    const { sink, collect } = await open(host)
    const batches = Array.from({ length: 40 }, (_, index) => makeBatch(index * 3, 3))
    for (const batch of batches) sink.write(batch)
    await sink.flush()
    await sink.close()
    assert.deepEqual(host.fates.map(fate => fate.batch), batches)
    assert.equal(host.written, 120)
    assert.deepEqual(host.reasons, [])
    assert.notEqual(await collect(), '')
  })

  test(`${kind}: after close a batch is refused and counted, and close may be called again`, async () => {
    const host = new RecordingHost()
    const { sink } = await open(host)
    await sink.close()
    sink.write(makeBatch(0, 5))
    await sink.flush()
    await sink.close()
    assert.deepEqual(host.fates.map(({ written, reason }) => ({ written, reason })), [{ written: 0, reason: 'output closed' }])
    assert.deepEqual([...sink.health().droppedRecords], [['output closed', 5]])
  })

  test(`${kind}: health counts what was settled, and nothing waits in the end`, async () => {
    const host = new RecordingHost()
    const { sink } = await open(host)
    for (let index = 0; index < 10; index++) sink.write(makeBatch(index, 1))
    await sink.close()
    const health = sink.health()
    assert.equal(health.writtenRecords, host.written)
    assert.equal(health.writtenRecords, 10)
    assert.equal(health.queuedBytes, 0)
    assert.equal(health.queuedRecords, 0)
    assert.ok(health.writtenBytes > 0)
    assert.equal(health.name, sink.name)
  })

  test(`${kind}: reload in the middle loses nothing`, async () => {
    const host = new RecordingHost()
    const { sink } = await open(host)
    for (let index = 0; index < 20; index++) {
      sink.write(makeBatch(index, 1))
      if (index === 10) await sink.reload?.()
    }
    await sink.close()
    assert.equal(host.written, 20)
  })
}
