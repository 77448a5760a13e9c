/**
 * HTTPS at saturation: every exchange that nginx answered stands in the log, once, with every request header, and the ledgers
 * of packets, of TLS calls and of records add up. The truth is nginx's own log, as in saturation.test.ts.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel } from './testing/lintel.ts'
import { TlsFolder } from './testing/tls-peers.ts'
import { CLIENT_HEADERS, wrk } from './testing/wrk.ts'

const PORT = 18_546
const SECONDS = 10
let folder: TlsFolder

before(async () => { folder = await TlsFolder.make() })
after(() => { folder.remove() })

for (const [title, tls] of [
  ['both ends are read on this machine', '{}'],
  ['the server alone is read', '{ processes: { include: [nginx] } }'],
] as const) {
  test(`wrk over HTTPS at saturation, ${title}: every exchange once, with all headers`, { timeout: 120_000 }, async (t) => {
    const gateway = await folder.gateway(PORT)
    const lintel = await Lintel.configured((directory) => `
outputs: [{ type: file, path: ${directory}/log.ndjson }]
capture: { ring_bytes: 64MiB, tls: ${tls} }
`)
    try {
      const url = `https://127.0.0.1:${PORT}/api`
      await wrk({ url, seconds: 2, idPrefix: 'w' })
      const result = await wrk({ url, seconds: SECONDS })
      await delay(2000) // nginx flushes its log each second
      const summary = await lintel.stop()
      const truth = new Map<string, number>()
      for (const line of gateway.requestIds()) {
        const [id = '', status] = line.split(' ')
        if (!id.startsWith('w') && status === '200') truth.set(id, (truth.get(id) ?? 0) + 1)
      }
      const names = [...Object.keys(CLIENT_HEADERS), 'X-Request-ID', 'Host'].map((name) => name.toLowerCase()).sort().join()
      const logged = new Map<string, number>()
      let wrong = 0
      await lintel.each((record) => {
        const header = record.http?.request?.header ?? {}
        const id = header['x-request-id']?.[0]
        if (record.kind !== 'exchange' || id === undefined || id.startsWith('w') || record.http?.response?.status_code !== 200) return
        logged.set(id, (logged.get(id) ?? 0) + 1)
        const isRight = Object.keys(header).sort().join() === names && record.url?.scheme === 'https' &&
          header['authorization']?.[0] === 'Bearer REDACTED' && header['x-tenant-id']?.[0] === 'acme' && record.server?.port === PORT
        if (!isRight) wrong++
      })
      const missing = [...truth].filter(([id, count]) => (logged.get(id) ?? 0) < count).length
      const many = [...logged].filter(([id, count]) => (truth.get(id) ?? 0) < count).length
      t.diagnostic(`wrk read ${result.requests} (${Math.round(result.perSecond)}/s), nginx answered ${truth.size}; ` +
        `missing ${missing}, too many ${many}, wrong ${wrong}; ${summary.trim().split('\n').at(-1)}`)
      assert.equal(result.errors, '')
      assert.ok(truth.size >= result.requests && result.requests > 1000)
      assert.deepEqual({ missing, many, wrong }, { missing: 0, many: 0, wrong: 0 })
      assert.match(summary, /; TLS calls seen .*; adds up/)
    } finally {
      await lintel.process.stop('SIGKILL')
      lintel.remove()
      await gateway.stop()
    }
  })
}
