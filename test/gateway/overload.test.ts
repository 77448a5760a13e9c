/** When the agent costs more than it may, it reads fewer connections, whole ones, says so, and comes back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'
import { wrk } from './testing/wrk.ts'

const PORT = 18_561
const SECONDS = 8
const CONNECTIONS = 32
/** From the smallest share a few steps up again. */
const RECOVERY_MS = 30_000

test('over its CPU budget the agent reads whole connections fewer, and more again when there is room', { timeout: 120_000 }, async () => {
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${PORT}`] })
  const lintel = await Lintel.configured((directory) => `
capture: { ports: [${PORT}], interfaces: [lo], tls: { enabled: false } }
limits: { cpu: 0.05 }
outputs: [{ type: file, path: ${directory}/log.ndjson, rotate: { bytes: 4GiB } }]
`)
  try {
    await wrk({ url: `http://127.0.0.1:${PORT}/`, seconds: SECONDS, connections: CONNECTIONS })
    const fewer = /overload: of the connections [\d.]+ % are read, whole ones, by a hash of their addresses and ports: [\d.]+ CPUs used, limits\.cpu is 0\.05/
    await lintel.process.until(() => fewer.test(lintel.process.errors), 'word that fewer are read')
    await lintel.process.until(() => /overload: of the connections [\d.]+ % are read.*no cause for 5 s/.test(lintel.process.errors), 'word that more are read')
    await delay(RECOVERY_MS / 10)
    await lintel.stop()
    const records = await lintel.records()
    const exchanges = records.filter(({ kind }) => kind === 'exchange')
    const answered = gateway.requestCount()
    assert.ok(exchanges.length > 0 && exchanges.length < answered * 0.9, `${exchanges.length} of ${answered} logged`)
    // Left between two exchanges: none is cut. Those under way when wrk ends may be.
    const halves = exchanges.filter(({ http }) => http?.response?.status_code === undefined || http.request?.method === undefined)
    assert.ok(halves.length <= CONNECTIONS, `${halves.length} halves`)
    assert.equal(new Set(exchanges.map(({ http }) => http?.request?.header?.['x-request-id']?.[0])).size, exchanges.length)
    assert.ok(records.some(({ kind, event }) => kind === 'anomaly' && event?.name === 'overload'))
    assert.match(lintel.process.errors, /not wanted \d+ \([^)]*overload \d+[^)]*\) \+ lost 0;.*adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
})
