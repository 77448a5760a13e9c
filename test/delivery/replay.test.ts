/** The command line as a whole: what a replay delivers is, field by field, what it logs into a file; the totals say so. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Receiver } from '../../src/sink/exporters/testing/receiver.ts'
import { CORPORA, hasCorpora, truthRows } from '../conformance/testing/corpora.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-delivery-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const LINTEL = fileURLToPath(new URL('../../bin/lintel', import.meta.url))

async function lintel(...args: string[]): Promise<{ code: number, stderr: string }> {
  const child = spawn(LINTEL, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => { stderr += data.toString() })
  const [code] = await once(child, 'close') as [number]
  return { code, stderr }
}

/** A config with a file and a webhook. */
function config(url: string, drain = '30s'): string {
  const path = join(folder, 'lintel.yaml')
  writeFileSync(path, `
outputs:
  - {type: file, path: ${folder}/exchanges.ndjson}
  - {type: webhook, url: "${url}", spool: {path: ${folder}/spool}, drain: ${drain}}
`)
  return path
}

test('an output with fields of its own gets these, the other all', async context => {
  if (!hasCorpora(context)) return
  const [file] = truthRows().filter(({ http_requests }) => http_requests > 20).map(row => `${CORPORA}/${row.file}`) as [string]
  const path = join(folder, 'fields.yaml')
  writeFileSync(path, `
outputs:
  - {type: file, path: ${folder}/whole.ndjson}
  - {type: file, path: ${folder}/some.ndjson, fields: {include: [url, http.request.method, event.sequence], exclude: [url.query]}}
`)
  const { code, stderr } = await lintel('replay', '--config', path, file)
  assert.equal(code, 0, stderr)
  assert.match(stderr, /adds up/)
  const read = (name: string): Record<string, any>[] => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').map(line => JSON.parse(line) as Record<string, any>)
  const some = read('some.ndjson')
  assert.ok(some.length > 20)
  assert.deepEqual(some, read('whole.ndjson').map(({ event, url, http }) => {
    const { query: _, ...rest } = url ?? {}
    return { event: { sequence: event.sequence }, ...(url === undefined ? {} : { url: rest }), ...(http?.request?.method === undefined ? {} : { http: { request: { method: http.request.method } } }) }
  }))
})

test('a replay delivers what it logs, and says how it went; what a dead server did not take comes with the next run', async context => {
  if (!hasCorpora(context)) return
  const files = truthRows().filter(({ http_requests }) => http_requests > 20).slice(0, 3).map(({ file }) => `${CORPORA}/${file}`)
  const kept = new Map<string, string>()
  const receiver = await Receiver.start(({ text }) => {
    for (const line of text.trimEnd().split('\n')) {
      const { id, ...record } = JSON.parse(line) as { id: string }
      kept.set(id, JSON.stringify(record))
    }
    return { status: 200 }
  })
  try {
    const first = await lintel('replay', '--config', config(receiver.url), ...files)
    assert.equal(first.code, 0, first.stderr)
    const logged = readFileSync(join(folder, 'exchanges.ndjson'), 'utf8').trimEnd().split('\n')
    assert.ok(logged.length > 60)
    assert.deepEqual([...kept.values()], logged.map(line => JSON.stringify(JSON.parse(line))))
    const count = logged.length
    assert.match(first.stderr, new RegExp(`output webhook:127.0.0.1:\\d+: stopped, spooled ${count} \\+ found 0 = sent ${count} \\+ refused 0 \\+ dropped 0 \\+ waiting 0 `))
    await receiver.kill()
    const dead = await lintel('replay', '--config', config(receiver.url, '300ms'), files[0] as string)
    assert.match(dead.stderr, /Cannot send to 127.0.0.1:\d+: connect ECONNREFUSED .*; is the server running/)
    await receiver.listen()
    const again = await lintel('replay', '--config', config(receiver.url), files[0] as string)
    const all = readFileSync(join(folder, 'exchanges.ndjson'), 'utf8').trimEnd().split('\n').length
    assert.match(again.stderr, new RegExp(`found [1-9]\\d* = sent ${all - count} `))
    assert.equal(kept.size, all)
  } finally {
    await receiver.kill()
  }
})
