import type { SafeBatch } from '../../src/sink/mod.ts'

/** The day that the records are of. */
export const DAY_START_MS = Date.parse('2026-05-01T00:00:00Z')
export const DAY_MS = 86_400_000

const HOSTS = 24
const CLIENTS = 20_000
const AGENTS = [
  ...Array.from({ length: 30 }, (_, index) =>
    `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + index}.0.0.0 Safari/537.36`),
  ...Array.from({ length: 12 }, (_, index) => `okhttp/4.${index}.0`), 'curl/8.5.0', 'curl/7.88.1', 'python-requests/2.31.0', 'Go-http-client/2.0',
  'axios/1.6.2', 'kube-probe/1.29', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'sqlmap/1.7',
]
const WORDS = Array.from({ length: 3000 }, (_, index) => `${(index * 7919).toString(36)}-guide`)
const HEX = '0123456789abcdef'

interface Route {
  readonly method: string
  /** Of the median request; seconds. */
  readonly duration: number
  path(random: () => number): string
}

const ROUTES: readonly Route[] = [
  { method: 'GET', duration: 0.002, path: () => '/healthz' },
  { method: 'GET', duration: 0.012, path: random => `/api/v1/users/${Math.floor(random() * 400_000)}` },
  { method: 'GET', duration: 0.03, path: random => `/api/v1/orders/${Math.floor(random() * 9_000_000)}/items` },
  { method: 'POST', duration: 0.08, path: () => '/api/v1/orders' },
  { method: 'GET', duration: 0.02, path: random => `/articles/${WORDS[Math.floor(random() ** 3 * WORDS.length)]}` },
  { method: 'GET', duration: 0.006, path: random => `/static/${hex(random, 20)}.js` },
  { method: 'POST', duration: 0.15, path: () => '/oauth/token' },
  { method: 'PUT', duration: 0.05, path: random => `/api/v1/carts/${uuid(random)}` },
  { method: 'GET', duration: 0.4, path: () => '/api/v1/search' },
  { method: 'DELETE', duration: 0.03, path: random => `/api/v1/carts/${uuid(random)}` },
  { method: 'POST', duration: 2.5, path: () => '/api/v1/chat/completions' },
]

/**
 * Exchanges of a day as an API gateway sees it: more at noon than at night; a few hosts, routes and clients have most of it;
 * durations lie log-normally around each route's own; 12 headers a request, 7 an answer. The same for the same numbers.
 *
 * @param first number of the first, of `all`
 */
export function generatedBatch(first: number, count: number, all: number): SafeBatch {
  const random = randomFrom(first + 1)
  let text = ''
  for (let index = first; index < first + count; index++) text += line(index, all, random)
  return { bytes: new Uint8Array(Buffer.from(text)), count, kinds: [count, 0, 0, 0, 0, 0], outputs: 1 }
}

function line(index: number, all: number, random: () => number): string {
  const time = timeOf(index / all)
  const host = `${['api', 'shop', 'auth', 'static'][Math.floor(random() * 4)]}-${Math.floor(random() ** 3 * HOSTS / 4)}.example`
  const client = Math.floor(random() ** 3 * CLIENTS)
  const address = `10.${client >> 12}.${(client >> 6) & 63}.${client & 63}`
  const route = ROUTES[Math.floor(random() ** 2 * ROUTES.length)] as Route
  const chance = random()
  const status = chance < 0.004 ? 503 : chance < 0.006 ? 500 : chance < 0.02 ? 404 : chance < 0.03 ? 403 : chance < 0.04 ? 401 : chance < 0.1 ? 304
    : route.method === 'POST' ? 201 : 200
  const duration = route.duration * Math.exp((random() + random() + random() - 1.5) * 1.6) * (status >= 500 ? 4 : 1)
  const agent = AGENTS[Math.floor(random() ** 2 * AGENTS.length)] as string
  const tenant = Math.floor(random() ** 2 * 300)
  const bytes = Math.floor(200 + random() ** 4 * 50_000)
  const credential = random() < 0.7 ? ',"authorization":["Bearer REDACTED"]' : ''
  const trace = hex(random, 32)
  return `{"kind":"exchange","time":"${time}","duration":${duration.toFixed(9)},"time_to_first_byte":${(duration * 0.9).toFixed(9)},` +
    `"event":{"sequence":${index + 1}},"client":{"address":"${address}","port":${32_768 + Math.floor(random() * 28_000)}},` +
    `"server":{"address":"10.255.0.${client % 3}","port":443,"process":{"pid":1203,"executable":{"name":"nginx"}}},` +
    '"network":{"type":"ipv4","transport":"tcp","interface":{"name":"eth0"},"protocol":{"name":"http","version":"1.1"},' +
    `"connection":{"id":${Math.floor(index / 8)}}},"url":{"scheme":"https","domain":"${host}","path":"${route.path(random)}"},` +
    `"http":{"request":{"method":"${route.method}","header":{"host":["${host}"],"user-agent":["${agent}"],"accept":["application/json"],` +
    `"accept-encoding":["gzip, br"],"connection":["keep-alive"],"x-request-id":["${uuid(random)}"],"x-tenant-id":["t-${tenant}"],` +
    `"traceparent":["00-${trace}-${hex(random, 16)}-01"],"x-forwarded-for":["${address}"],"x-forwarded-proto":["https"],` +
    `"content-type":["application/json"]${credential}},"header_bytes":620,"header_count":12},"response":{"status_code":${status},` +
    `"header":{"server":["nginx"],"date":["Fri, 01 May 2026 ${time.slice(11, 19)} GMT"],"content-type":["application/json"],` +
    `"content-length":["${bytes}"],"cache-control":["no-store"],"vary":["accept-encoding"],"x-upstream":["10.1.0.${client % 9}:8080"]},` +
    `"header_bytes":260,"header_count":7,"body":{"size":${bytes}}}},"user_agent":{"original":"${agent}"},` +
    `"trace":{"id":"${trace}"}}\n`
}

/** Most around 12:00: the share of the day that has passed when a share of its requests has. */
function timeOf(share: number): string {
  const day = share + 0.1 * Math.sin(2 * Math.PI * share)
  const ns = BigInt(Math.floor(day * DAY_MS * 1000)) * 1000n
  const ms = DAY_START_MS + Number(ns / 1_000_000n)
  return `${new Date(ms).toISOString().slice(0, -1)}${String(ns % 1_000_000n).padStart(6, '0')}Z`
}

function hex(random: () => number, length: number): string {
  let text = ''
  for (let left = length; left > 0; left--) text += HEX[Math.floor(random() * 16)]
  return text
}

function uuid(random: () => number): string {
  return `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-8${hex(random, 3)}-${hex(random, 12)}`
}

/** mulberry32: small, fast, the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
