import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEngine } from './engine.ts'

/** More groups than 64 MiB hold. */
const LARGE = 'SELECT count(*)::INTEGER FROM (SELECT range % 3000000 AS key, sum(range) AS n FROM range(6000000) GROUP BY key)'

test('a statement that needs more than its memory spills where it may, leaves nothing there, and fails elsewhere', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-test-'))
  try {
    const spillTo = join(folder, 'spilled-0')
    const spilling = await openEngine({ threads: 1, memoryMiB: 64, spillTo })
    assert.deepEqual((await spilling.runAndReadAll(LARGE)).getRows(), [[3_000_000]])
    assert.ok(existsSync(spillTo), 'it did spill')
    assert.deepEqual(readdirSync(spillTo), [])
    spilling.closeSync()
    const other = await openEngine({ threads: 1, memoryMiB: 64 })
    await assert.rejects(other.runAndReadAll(LARGE), /Out of Memory/)
    other.closeSync()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
