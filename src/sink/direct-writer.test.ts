import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BLOCK_BYTES } from './direct-writer.ts'
import { LineFile } from './line-file.ts'

const KIB = 1024
/** A file system in memory has nothing but the page cache, so the files lie beside the build. */
const BUILD = fileURLToPath(new URL('../../build', import.meta.url))

function scratch(t: TestContext): string {
  mkdirSync(BUILD, { recursive: true })
  const folder = mkdtempSync(join(BUILD, 'direct-'))
  t.after(() => { rmSync(folder, { recursive: true }) })
  return join(folder, 'log.ndjson')
}

/** Lines of `bytes` in all, each different, in memory that both threads of the agent see. */
function lines(bytes: number, seed: number): Uint8Array {
  const text = Buffer.from(new SharedArrayBuffer(bytes))
  for (let at = 0, line = 0; at < bytes; line++) at += text.write(`${seed} ${line} ${'x'.repeat(line % 97)}\n`, at)
  text[bytes - 1] = 10
  return text
}

function cachedBytes(path: string): number {
  return Number(execFileSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', path], { encoding: 'utf8' }))
}

test('appends of all sizes stand in the file as they came, and large ones are not in the page cache', async (t) => {
  const path = scratch(t)
  const { file } = LineFile.open({ path, mode: 0o600, direct: true })
  const expected: Uint8Array[] = []
  const sizes = [1, 100, 256 * KIB, 256 * KIB - 1, 300 * KIB + 7, BLOCK_BYTES, 3 * KIB * KIB + 4095, 1024 * KIB, 17, 2048 * KIB + 1]
  for (const [seed, size] of sizes.entries()) {
    const third = Math.ceil(size / 3)
    const all = lines(size, seed)
    const parts = [all.subarray(0, third), all.subarray(third, 2 * third), all.subarray(2 * third)]
    expected.push(all)
    assert.deepEqual(await file.append(parts), { bytes: size })
  }
  const whole = Buffer.concat(expected)
  assert.equal(file.size, whole.length)
  const cached = cachedBytes(path)
  assert.ok(cached < whole.length / 4, `${cached} of ${whole.length} bytes are cached`)
  assert.ok(readFileSync(path).equals(whole))
  file.close()
})

test('an urgent append does not wait for the disk', async (t) => {
  const path = scratch(t)
  const { file } = LineFile.open({ path, mode: 0o600, direct: true })
  await file.append([lines(1024 * KIB, 1)], true)
  assert.ok(cachedBytes(path) >= 1024 * KIB)
  file.close()
})

test('a file that another program appends to or cuts off is written on, in the ordinary way', async (t) => {
  const path = scratch(t)
  const { file } = LineFile.open({ path, mode: 0o600, direct: true })
  const parts = [1, 2, 3].map((seed) => lines(512 * KIB, seed))
  await file.append([parts[0]!])
  appendFileSync(path, 'of another program\n')
  assert.deepEqual(await file.append([parts[1]!]), { bytes: 512 * KIB })
  truncateSync(path, 100)
  assert.deepEqual(await file.append([parts[2]!]), { bytes: 512 * KIB })
  assert.ok(readFileSync(path).equals(Buffer.concat([parts[0]!.subarray(0, 100), parts[2]!])))
  file.close()
})
