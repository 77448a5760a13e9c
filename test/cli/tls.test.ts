import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const LINTEL = fileURLToPath(new URL('../../bin/lintel', import.meta.url))

test('lintel tls lists itself as a process that speaks TLS, as a table and as JSON lines', () => {
  const table = execFileSync(LINTEL, ['tls'], { encoding: 'utf8' })
  assert.match(table, /^PID +NAME +READ +LIBRARY +FILE/)
  assert.match(table, /^\d+ +\S.* yes +OpenSSL +\S*\/node$/m)
  assert.match(table, /\n\d+ read, \d+ not\n$/)
  const rows = execFileSync(LINTEL, ['tls', '--format', 'json'], { encoding: 'utf8' }).trim().split('\n')
    .map((line) => JSON.parse(line) as { pid: number; path: string; read: boolean; library: string })
  assert.ok(rows.some(({ pid, path, read, library }) => pid > 0 && path.endsWith('/node') && read && library === 'OpenSSL'))
})

test('lintel tls refuses a format that it does not have', () => {
  const { status, stderr } = spawnSync(LINTEL, ['tls', '--format', 'xml'], { encoding: 'utf8' })
  assert.equal(status, 2)
  assert.match(stderr, /Cannot use --format "xml": it is one of table, json/)
})
