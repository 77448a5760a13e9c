import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel } from './testing/lintel.ts'
import { run } from './testing/process.ts'
import { TlsFolder } from './testing/tls-peers.ts'

const PORT = 18_571
/** Connections whose first request is written by the callback that tells of the handshake: inside of SSL_read, that is. */
const CLIENT = `
  const { connect } = require('node:tls')
  const ask = (id) => new Promise((resolve, reject) => {
    const socket = connect({ port: ${PORT}, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      socket.write('GET /nested HTTP/1.1\\r\\nHost: a\\r\\nX-Request-ID: nested-' + id + '\\r\\nConnection: close\\r\\n\\r\\n')
    })
    socket.on('close', resolve).on('error', reject).resume()
  })
  ;(async () => { for (let id = 0; id < 20; id++) await ask(id) })()
`
let folder: TlsFolder

before(async () => { folder = await TlsFolder.make() })
after(() => { folder.remove() })

test('what a program writes inside of a read, when its library calls it back, is read too', { timeout: 60_000 }, async () => {
  const gateway = await folder.gateway(PORT)
  // Of the two ends Node's alone is read.
  const lintel = await Lintel.configured((directory) => `
capture: { ports: [${PORT}], interfaces: [lo], tls: { processes: { exclude: [nginx] } } }
outputs: [{ type: file, path: ${directory}/log.ndjson }]
`)
  try {
    await run(process.execPath, ['-e', CLIENT])
    await delay(500)
    await lintel.stop()
    const exchanges = (await lintel.records()).filter(({ kind }) => kind === 'exchange')
    assert.deepEqual(exchanges.map(({ http }) => [http?.request?.header?.['x-request-id']?.[0], http?.response?.status_code]),
      Array.from({ length: 20 }, (_, id) => [`nested-${id}`, 200]))
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
})
