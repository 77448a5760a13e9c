/** Bodies of HTTP/2 stay in the kernel: each size and head is exact, hardly a byte of them is copied, and none is missed. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import type { ClientHttp2Session } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from './testing/gateway.ts'
import { serve } from './testing/http2-peers.ts'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { Metrics } from './testing/metrics.ts'
import { run } from './testing/process.ts'

const NGINX = 18221
const NODE = 18222
const METRICS = '127.0.0.1:18223'
const MIB = 1024 * 1024
const DELIVERED = 'lintel_packet_bytes_total{outcome="delivered"}'
const SIZES = [0, 1, 17, 600, 5000, 16_384, 16_385, 100_000, 999_999, MIB]

const folder = mkdtempSync(join(tmpdir(), 'lintel-http2-bodies-'))
let gateway: Gateway
let lintel: Lintel

before(async () => {
  chmodSync(folder, 0o755) // nginx's workers are another user
  for (const size of [...SIZES, 40 * MIB]) writeFileSync(join(folder, `${size}.bin`), Buffer.alloc(size, 'body '))
  gateway = await Gateway.start({ listen: [`127.0.0.1:${NGINX} http2`], http: 'sendfile on;', location: `root ${folder};` })
  lintel = await Lintel.start(['--port', `${NGINX}-${NODE}`, '--interface', 'lo', '--metrics', METRICS, '--kind', 'exchange', '--kind', 'anomaly'])
})
after(async () => {
  try {
    await lintel.stopQuietly()
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

/** Runs `load`, and says how many bytes were copied to the agent for it. */
async function copied(load: () => Promise<void>): Promise<number> {
  const before = await Metrics.scrape(METRICS)
  await load()
  await delay(400) // the figures are taken each 250 ms
  return (await Metrics.scrape(METRICS)).get(DELIVERED) - before.get(DELIVERED)
}

function report(what: string, bytes: number, bodies: number): void {
  console.log(`${what}: ${(bodies / MIB).toFixed(1)} MiB of bodies, ${(bytes / MIB).toFixed(2)} MiB copied (${(100 * bytes / bodies).toFixed(1)} %)`)
}

/** Bytes of the body that came. */
async function download(session: ClientHttp2Session, path: string): Promise<number> {
  let size = 0
  for await (const part of session.request({ ':path': path })) size += (part as Buffer).length
  return size
}

test('40 MiB down by curl, in the first stream of its connection', { timeout: 60_000 }, async () => {
  await run('curl', ['-sf', '--http2-prior-knowledge', '-o', '/dev/null', `http://127.0.0.1:${NGINX}/${40 * MIB}.bin`])
  const records = await lintel.exchanges(`/${40 * MIB}.bin`)
  assert.deepEqual(records.map((record) => [record.http?.response?.body?.size, record.marks]), [[40 * MIB, undefined]])
})

test('40 MiB down once the agent has read the first request of the connection', { timeout: 60_000 }, async () => {
  let records: LoggedRecord[] = []
  const session = connect(`http://127.0.0.1:${NGINX}`)
  // Before that all bytes come: how many that are is a matter of the machine's speed.
  await download(session, '/1.bin')
  await lintel.exchanges('/1.bin')
  const bytes = await copied(async () => {
    assert.equal(await download(session, `/${40 * MIB}.bin`), 40 * MIB)
    records = await lintel.exchanges(`/${40 * MIB}.bin`, 2)
  })
  session.close()
  assert.deepEqual(records.map((record) => [record.http?.response?.body?.size, record.marks]), [[40 * MIB, undefined], [40 * MIB, undefined]])
  report('down', bytes, 40 * MIB)
  assert.ok(bytes < 4 * MIB, `${bytes} bytes were copied`)
})

test('h2load, ten streams at a time with bodies of 0 to 1 MiB', { timeout: 60_000 }, async () => {
  const rounds = 12
  const count = rounds * SIZES.length
  let bodies = 0
  const bytes = await copied(async () => {
    const urls = SIZES.map((size) => `http://127.0.0.1:${NGINX}/${size}.bin?load`)
    assert.match(await run('h2load', ['-n', String(count), '-c', '1', '-m', '10', '-H', 'x-run: load', ...urls]), new RegExp(`${count} succeeded`))
    for (const size of SIZES) {
      const records = (await lintel.exchanges(`/${size}.bin`, rounds + (size === 1 ? 1 : 0))).filter(({ url }) => url?.query === 'load')
      assert.equal(records.length, rounds)
      for (const { http, marks } of records) {
        assert.deepEqual([http?.response?.body?.size, http?.response?.status_code, http?.request?.header?.['x-run'], marks], [size, 200, ['load'], undefined])
        assert.deepEqual(http?.response?.header?.['content-length'], [String(size)])
        bodies += size
      }
    }
  })
  report('h2load', bytes, bodies)
  assert.ok(bytes < bodies / 4, `${bytes} bytes were copied`)
})

test('uploads by h2load, ten streams at a time, to Node', { timeout: 60_000 }, async () => {
  const count = 30
  const got: number[] = []
  const server = await serve(NODE, (stream) => {
    let size = 0
    stream.on('data', (part: Buffer) => { size += part.length })
    stream.on('end', () => {
      got.push(size)
      stream.respond({ ':status': 201, 'x-got': String(size) })
      stream.end('taken')
    })
  })
  const bytes = await copied(async () => {
    try {
      const args = ['-n', String(count), '-c', '1', '-m', '10', '-d', join(folder, '999999.bin'), `http://127.0.0.1:${NODE}/up`]
      assert.match(await run('h2load', args), new RegExp(`${count} succeeded`))
    } finally {
      server.close()
    }
    const records = await lintel.exchanges('/up', count)
    assert.equal(records.length, count)
    for (const { http, marks } of records) {
      assert.deepEqual([http?.request?.body?.size, http?.response?.body?.size, http?.response?.status_code, marks], [999_999, 5, 201, undefined])
      assert.deepEqual(http?.response?.header?.['x-got'], ['999999'])
    }
  })
  assert.deepEqual(got, new Array<number>(count).fill(999_999))
  report('up', bytes, count * 999_999)
  assert.ok(bytes < count * 999_999 / 4, `${bytes} bytes were copied`)
})
