import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { deriveAddressKey, readHashKey } from './hash-key.ts'

const NONE = { hash_key_ephemeral: false }
const SECRET = 'correct horse battery staple'

test('a key is read from a file, without the line break at its end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-key-'))
  try {
    const path = join(folder, 'key')
    writeFileSync(path, `${SECRET}\r\n`)
    assert.equal(readHashKey({ ...NONE, hash_key_file: path })?.toString(), SECRET)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a key is read from the environment', () => {
  assert.equal(readHashKey({ ...NONE, hash_key_env: 'K' }, { K: SECRET })?.toString(), SECRET)
  assert.equal(readHashKey(NONE, {}), undefined)
})

test('an ephemeral key is one for the run, in every worker thread, and not fixed', async () => {
  const options = { hash_key_ephemeral: true }
  const key = readHashKey(options)
  assert.equal(key?.length, 32)
  const wiped = readHashKey(options)
  wiped?.fill(0)
  assert.deepEqual(readHashKey(options), key)
  const source = `import { readHashKey } from ${JSON.stringify(import.meta.resolve('./hash-key.ts'))}
    import { parentPort } from 'node:worker_threads'
    parentPort.postMessage(readHashKey({ hash_key_ephemeral: true }))`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  const [message] = await once(worker, 'message') as [Uint8Array]
  assert.deepEqual(Buffer.from(message), key)
  const script = `import { readHashKey } from ${JSON.stringify(import.meta.resolve('./hash-key.ts'))}
    console.log(readHashKey({ hash_key_ephemeral: true }).toString('hex'))`
  const other = execFileSync(process.execPath, ['--input-type=module', '-e', script])
  assert.notEqual(other.toString().trim(), key?.toString('hex'))
})

test('errors name the place and never the key', () => {
  const short = 'hunter2'
  for (const [options, place] of [
    [{ ...NONE, hash_key_env: 'K' }, '"K"'], [{ ...NONE, hash_key_env: 'MISSING' }, '"MISSING"'],
    [{ ...NONE, hash_key_file: '/nonexistent/key' }, '"/nonexistent/key"'],
    [{ hash_key_ephemeral: true, hash_key_env: 'K' }, 'hash_key_env'], [{ ...NONE, hash_key_env: 'LONG' }, '"LONG": it has 65537 bytes'],
  ] as const) {
    assert.throws(() => readHashKey(options, { K: short, LONG: short.padEnd(65_537, 'x') }), (error: Error) => error.message.includes(place) &&
      !error.message.includes(short))
  }
})

test('the key for addresses is not the key for hashes', () => {
  const key = Buffer.from(SECRET)
  assert.notDeepEqual(deriveAddressKey(key), key.subarray(0, 16))
  assert.equal(deriveAddressKey(key).length, 16)
})
