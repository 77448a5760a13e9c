import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { LineFile } from './line-file.ts'

const MIB = 1 << 20
/** A disk may be slow; a file system in memory never drops a page, so the file lies beside the build. */
const BUILD = fileURLToPath(new URL('../../build', import.meta.url))

function residentBytes(path: string): number {
  return Number(execFileSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', path], { encoding: 'utf8' }))
}

test('what was appended leaves the page cache, and stands in the file', async (t) => {
  mkdirSync(BUILD, { recursive: true })
  const folder = mkdtempSync(join(BUILD, 'written-pages-'))
  t.after(() => { rmSync(folder, { recursive: true }) })
  const path = join(folder, 'log.ndjson')
  const { file } = LineFile.open({ path, mode: 0o600 })
  const line = Buffer.alloc(MIB, 'x')
  line[MIB - 1] = 10
  let appended = 0
  do {
    for (let i = 0; i < 32; i++, appended += MIB) await file.append([line])
    await delay(200)
  } while (residentBytes(path) > appended / 2 && appended < 1024 * MIB)
  assert.ok(residentBytes(path) <= appended / 2, `${residentBytes(path)} of ${appended} bytes stay`)
  assert.equal(file.size, appended)
  file.close()
  assert.equal(execFileSync('wc', ['-l', path], { encoding: 'utf8' }).split(' ')[0], String(appended / MIB))
})
