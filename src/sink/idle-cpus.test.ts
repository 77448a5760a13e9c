import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { IdleCpus } from './idle-cpus.ts'

test('idle processors are those of the time since the last look, waiting for a disk and niced work among them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-test-'))
  try {
    const path = join(folder, 'stat')
    const stat = (line: string): void => writeFileSync(path, `${line}\ncpu0 1 2 3 4\nintr 9 9\n`)
    stat('cpu  100 0 100 800 0 0 0 0 50 0')
    const idle = new IdleCpus(path)
    stat('cpu  150 5 110 805 10 10 5 5 90 0')
    assert.equal(idle.look(), cpus().length * 20 / 100)
    stat('cpu  160 5 110 895 10 10 5 5 95 0')
    assert.equal(idle.look(), cpus().length * 90 / 100)
    assert.equal(idle.look(), cpus().length, 'no tick went by')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('where the kernel does not tell, all processors are taken for idle', () => {
  assert.equal(new IdleCpus('/nowhere/stat').look(), cpus().length)
})
