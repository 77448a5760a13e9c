/**
 * Gives an output records as fast as it takes them, and says what that took, as JSON: `{"seconds":...,"cpuSeconds":...,"bytes":...}`,
 * from the first record to the last one that its server has. CPU time is that of all threads of this process, which does nothing else.
 *
 * In: the output as it stands in a config file, as JSON, and the count of records. A tenth of that goes before, to warm up.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { configSchema } from '../../src/config.ts'
import { openOutput } from '../../src/config/output.ts'
import type { SafeBatch, Sink } from '../../src/sink/mod.ts'

const LINES = 200
const WAITING_MAX = 8
const [options, count] = [JSON.parse(process.argv[2] as string) as Record<string, unknown>, Number(process.argv[3])]

/** An exchange as bench/load makes it: eleven request headers, six response headers. */
function line(number: number): string {
  const [request, span] = [(number * 7919 % 1e12).toString().padStart(12, '0'), (number * 104_729 % 1e16).toString(16).padStart(16, '0')]
  const header = {
    host: ['shop.example'], 'user-agent': ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36'],
    accept: ['application/json, text/plain, */*'], 'accept-encoding': ['gzip, deflate, br'], 'accept-language': ['en-GB,en;q=0.9'],
    authorization: ['Bearer REDACTED'], 'x-request-id': [`7f3c1e3a-9c55-4f0e-8f5e-${request}`], 'x-tenant-id': ['acme'],
    traceparent: [`00-4bf92f3577b34da6a3ce929d0e0e4736-${span}-01`], cookie: ['session=REDACTED'], referer: ['https://shop.example/'],
  }
  const answered = {
    server: ['nginx/1.22.1'], date: ['Sun, 22 Nov 2026 14:13:03 GMT'], 'content-type': ['text/plain'], 'content-length': ['12'],
    connection: ['keep-alive'], vary: ['accept'],
  }
  return JSON.stringify({
    kind: 'exchange', time: new Date(1_795_356_782_000 + number).toISOString().replace('Z', '123456Z'),
    duration: 0.000213 + number % 50 / 1e6, time_to_first_byte: 0.000198, event: { sequence: 1_000_000 + number },
    client: { address: '192.0.2.7', port: 40_000 + number % 5000 },
    server: { address: '192.0.2.1', port: 8081, process: { pid: 1203, executable: { name: 'nginx' } } },
    network: {
      type: 'ipv4', transport: 'tcp', interface: { name: 'eth0' }, protocol: { name: 'http', version: '1.1' }, connection: { id: number % 100 },
    },
    url: { scheme: 'http', domain: 'shop.example', path: `/api/v1/users/${number % 1000}`, query: 'expand=orders' },
    http: {
      request: { method: 'GET', header, header_bytes: 620, body: { size: 0 }, depth: 12 },
      response: { status_code: number % 50 === 0 ? 503 : 200, header: answered, header_bytes: 160, body: { size: 12 } },
    },
    user_agent: { original: header['user-agent'][0] },
  })
}

const bytes = Buffer.from(Array.from({ length: LINES }, (_, index) => `${line(index)}\n`).join(''))
const waiting = new Set<SafeBatch>()
let left = 0
const [checked] = configSchema.shape.outputs.parse([options])
const sink = openOutput(checked as NonNullable<typeof checked>, {
  settled(batch, written, reason) {
    if (written !== batch.count) throw new Error(`Cannot measure: records were dropped: ${reason}`)
    waiting.delete(batch)
    setImmediate(more)
  },
  ended() {},
  log(level, message) { console.error(`${level}: ${message}`) },
})

function more(): void {
  while (left > 0 && waiting.size < WAITING_MAX) {
    const batch: SafeBatch = { bytes, count: LINES, kinds: [LINES, 0, 0, 0, 0, 0], outputs: 1 }
    left -= LINES
    waiting.add(batch)
    sink.write(batch)
  }
}

/** Records that are where they are to go. */
function done(of: Sink): number {
  const { delivery, writtenRecords } = of.health()
  return delivery?.sent ?? writtenRecords
}

async function run(records: number): Promise<void> {
  const goal = done(sink) + records
  left = records
  more()
  while (done(sink) < goal) await delay(2)
}

await run(Math.ceil(count / 10 / LINES) * LINES)
const [start, cpu] = [performance.now(), process.cpuUsage()]
await run(count)
const { user, system } = process.cpuUsage(cpu)
console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6, bytes: bytes.length / LINES }))
await sink.close()
