import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel } from './testing/lintel.ts'
import { run } from './testing/process.ts'
import { TlsFolder } from './testing/tls-peers.ts'

const PORT = 18_551
let folder: TlsFolder

before(async () => { folder = await TlsFolder.make() })
after(() => { folder.remove() })

test('a client that uses one TLS object for one connection after the other shows each from its start', async () => {
  const gateway = await folder.gateway(PORT, { location: 'keepalive_requests 1; return 200;' })
  // Of the two ends wrk's alone is read: it calls SSL_clear, and connects anew.
  const lintel = await Lintel.configured((directory) => `
capture: { ports: [${PORT}], interfaces: [lo], tls: { processes: { include: [wrk] } } }
outputs: [{ type: file, path: ${directory}/log.ndjson }]
`)
  try {
    await run('wrk', ['-t1', '-c1', '-d1s', `https://127.0.0.1:${PORT}/again`])
    await delay(300)
    await lintel.stop()
    const records = (await lintel.records()).filter(({ kind }) => kind === 'exchange')
    assert.ok(records.length > 5, `${records.length} exchanges`)
    // Not by the client's port: the server closes, so a fast client has one again within the second.
    assert.equal(new Set(records.map(({ network }) => network?.connection?.id)).size, records.length)
    // The last one may be under way when wrk ends.
    const whole = records.filter(({ http }) => http?.response?.status_code === 200)
    assert.ok(whole.length >= records.length - 1)
    for (const { marks } of whole) assert.equal(marks, undefined)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
})
