import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertAddsUp, delivery, exchanges, type Kept, range, until } from './exporter.suite.ts'
import type { FaultScene } from './server-faults.suite.ts'

const needsRoot = { skip: process.getuid?.() === 0 ? false : 'mounting a small disk needs root' }

/** What the spool does for every exporter when its disk is full or damaged. @param open an output with these keys besides its own */
export function spoolFaults(name: string, open: (more: Record<string, unknown>) => Promise<FaultScene>): void {
  const numbers = (kept: readonly Kept[]): number[] => kept.map(record => record.number)

  test(`${name}: a damaged segment costs what it holds, counted; the rest is delivered`, async () => {
    const { it, server, kept, reopen } = await open({ drain: '0ms' })
    await server.kill()
    for (let index = 0; index < 5; index++) {
      it.sink.write(exchanges(index * 10, 10))
      await it.sink.flush()
    }
    await it.sink.close()
    const { path } = it.options['spool'] as { readonly path: string }
    const segment = join(path, readdirSync(path).find(file => file.startsWith('spool-')) as string)
    const fd = openSync(segment, 'r+')
    writeSync(fd, 'XX', readFileSync(segment).indexOf('"sequence":23'))
    closeSync(fd)
    await server.listen()
    it.sink = reopen({ drain: '1m' })
    await it.sink.close()
    await until('all there', () => kept.length >= 40, it.host)
    await server.kill()
    assert.deepEqual(numbers(kept), [...range(0, 20), ...range(30, 20)])
    assert.deepEqual([...delivery(it.sink).dropped], [['spool damaged', 10]])
    assertAddsUp(it.sink)
  })

  test(`${name}: a full disk before the spool: told, counted, and all that was taken arrives once there is room`, needsRoot, async () => {
    const mount = mkdtempSync(join(tmpdir(), 'lintel-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=700', 'tmpfs', mount])
    try {
      const { it, server, kept } = await open({ spool: { path: join(mount, 'spool') }, queue_bytes: '1MiB' })
      const { sink, host } = it
      await server.kill()
      const isFull = (): boolean => host.logs.some(line => /Cannot write to the spool ".*": no space left on the disk/.test(line))
      let next = 0
      for (; !isFull(); next += 50) {
        sink.write(exchanges(next, 50))
        await until('it is written or told', () => sink.health().queuedRecords === 0 || isFull(), host)
      }
      for (let index = 0; index < 200; index++, next += 50) sink.write(exchanges(next, 50))
      assert.deepEqual([...sink.health().droppedRecords.keys()], ['disk full'])
      await server.listen()
      await sink.flush()
      await until('all sent', () => delivery(sink).waitingRecords === 0, host)
      await sink.close()
      await until('all there', () => kept.length >= host.written, host)
      await server.kill()
      assertAddsUp(sink)
      assert.equal(kept.length, host.written)
      assert.equal(new Set(numbers(kept)).size, kept.length)
      assert.equal(host.written + (sink.health().droppedRecords.get('disk full') ?? 0), next)
      assert.match(host.logs.join('\n'), /no space left on the disk[\s\S]*works again/)
    } finally {
      execFileSync('umount', ['-l', mount])
      rmSync(mount, { recursive: true })
    }
  })
}
