import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { zstdDecompressSync } from 'node:zlib'
import { RotatedFiles } from './rotated-files.ts'

/** More than is compressed between two looks at the load. */
const FILE_BYTES = 96 << 20
const WAIT_MS = 20_000

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    assert.ok(waited < WAIT_MS, `${what} did not come`)
    await delay(5)
  }
}

test('a file that is being compressed waits while no processor is idle, makes way for removal, and is compressed in the end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-test-'))
  try {
    const content = randomBytes(FILE_BYTES)
    writeFileSync(join(folder, 'a-20261126T100000000Z.ndjson'), content)
    let idle = 2
    const files = new RotatedFiles({
      path: join(folder, 'a.ndjson'), mode: 0o600, compress: true, keepFiles: 10, keepBytes: Infinity, log: (_level, message) => { assert.fail(message) },
      idleCpus: () => idle,
    })
    const part = join(folder, 'a-20261126T100000000Z.ndjson.zst.part')
    const first = files.tidy()
    await until('the first part of the compressed file', () => existsSync(part) && statSync(part).size > 0)
    idle = 0
    await delay(300)
    const paused = statSync(part).size
    await delay(300)
    assert.equal(statSync(part).size, paused)
    assert.ok(paused < FILE_BYTES)
    void files.tidy()
    await until('the end of the unfinished file', () => !existsSync(part))
    idle = 2
    await first
    assert.deepEqual(readdirSync(folder), ['a-20261126T100000000Z.ndjson.zst'])
    assert.ok(zstdDecompressSync(readFileSync(join(folder, 'a-20261126T100000000Z.ndjson.zst'))).equals(content))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
