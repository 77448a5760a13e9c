import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { CORPORA } from './gitleaks-rules.ts'
import { WallProbe } from './wall-probe.ts'

const missing = !existsSync(CORPORA)
if (missing && process.env['CI'] === 'true') throw new Error(`Cannot test ordinary values: "${CORPORA}" is missing`)

/** Values as browsers, servers and proxies send them; none holds a secret. */
const ORDINARY: readonly (readonly [name: string, value: string])[] = [
  ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7'],
  ['accept-encoding', 'gzip, deflate, br, zstd'], ['accept-language', 'en-US,en;q=0.9,de;q=0.8'],
  ['access-control-allow-headers', 'Authorization, Content-Type, X-Api-Key, X-Requested-With, X-CSRF-Token, X-Session-Id'],
  ['access-control-allow-credentials', 'true'], ['access-control-expose-headers', 'ETag, Link, X-RateLimit-Remaining, X-Auth-Token'],
  ['age', '3600'], ['alt-svc', 'h3=":443"; ma=2592000,h3-29=":443"; ma=2592000'], ['cache-control', 'public, max-age=31536000, immutable'],
  ['cf-ray', '7d4f3c2b1a0e9f8d-FRA'], ['connection', 'keep-alive, Upgrade'], ['content-disposition', 'attachment; filename="report-2024-01-31.pdf"'],
  ['content-length', '1234567'], ['content-security-policy', "default-src 'self'; script-src 'self' 'nonce-rAnd0m123abcDEF456' https://www.googletagmanager.com 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; report-uri https://example.report-uri.com/r/d/csp/enforce"],
  ['content-type', 'multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW'], ['content-type', 'application/json; charset=utf-8'],
  ['date', 'Wed, 21 Oct 2015 07:28:00 GMT'], ['digest', 'SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE='],
  ['content-md5', 'Q2hlY2sgSW50ZWdyaXR5IQ=='], ['etag', 'W/"0815-5f4dcc3b5aa765d61d8327deb882cf99"'], ['etag', '"33a64df551425fcc55e4d42a148795d9f25f89d4"'],
  ['expect-ct', 'max-age=86400, enforce, report-uri="https://foo.example/report"'], ['expires', 'Thu, 01 Dec 1994 16:00:00 GMT'],
  ['host', 'token-service.auth.svc.cluster.local:8080'], ['host', 'api.example.com'], ['if-none-match', '"737060cd8c284d8af7ad3082f209582d"'],
  ['keep-alive', 'timeout=5, max=1000'], ['last-modified', 'Tue, 15 Nov 1994 12:45:26 GMT'], ['link', '<https://api.github.com/repositories/1300192/issues?page=2>; rel="next", <https://api.github.com/repositories/1300192/issues?page=515>; rel="last"'],
  ['location', 'https://www.example.com/de/products/shoes?size=42&color=red#reviews'], ['origin', 'https://developer.mozilla.org'],
  ['nel', '{"success_fraction":0,"report_to":"cf-nel","max_age":604800}'], ['permissions-policy', 'geolocation=(), microphone=(), camera=(self "https://example.com")'],
  ['referer', 'https://www.google.com/search?q=how+to+reset+password&hl=en&source=hp'], ['referrer-policy', 'strict-origin-when-cross-origin'],
  ['report-to', '{"group":"cf-nel","max_age":604800,"endpoints":[{"url":"https://a.nel.cloudflare.com/report/v4?s=abc"}]}'],
  ['sec-ch-ua', '"Chromium";v="124", "Google Chrome";v="124", "Not-A.Brand";v="99"'], ['sec-ch-ua-platform', '"Windows"'],
  ['sec-fetch-dest', 'document'], ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='], ['sec-websocket-accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
  ['server', 'nginx/1.25.3 (Ubuntu)'], ['server-timing', 'cdn-cache; desc=HIT, edge; dur=1, origin; dur=0'], ['strict-transport-security', 'max-age=63072000; includeSubDomains; preload'],
  ['te', 'trailers'], ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'], ['tracestate', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,dd=s:1;t.dm:-1'],
  ['baggage', 'sentry-trace_id=771a43a4192642f0b136d5159a501700,sentry-environment=production,sentry-release=1.2.3'], ['b3', '80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1'],
  ['x-amzn-trace-id', 'Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1'], ['x-cloud-trace-context', '105445aa7843bc8bf206b12000100000/1;o=1'],
  ['uber-trace-id', '4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1'], ['x-datadog-trace-id', '9211618476351743208'],
  ['vary', 'Accept-Encoding, Authorization, Cookie, X-Api-Key'], ['via', '1.1 varnish, 1.1 a1b2c3d4e5f6.cloudfront.net (CloudFront)'], ['www-authenticate', 'Bearer realm="example", error="invalid_token", error_description="The access token expired"'],
  ['www-authenticate', 'Basic realm="Access to the staging site", charset="UTF-8"'], ['x-amz-cf-id', 'MyKQQ2oAAyv0QvqfQ8HfXlPq3rZzL5xY7n8bT1cD2eF3gH4iJ5kL=='], ['x-amz-request-id', '4442587FB7D0A2F9'],
  ['x-amz-id-2', 'eftixk72aD6Ap51TnqcoF8eFidJG9Z/2mkiDFu8yU9AS1ed4OpIszj7UDNEHGran'], ['x-cache', 'Hit from cloudfront'], ['x-content-type-options', 'nosniff'],
  ['x-forwarded-for', '203.0.113.195, 2001:db8:85a3:8d3:1319:8a2e:370:7348'], ['forwarded', 'for=192.0.2.60;proto=http;by=203.0.113.43'], ['x-forwarded-proto', 'https'],
  ['x-frame-options', 'SAMEORIGIN'], ['x-github-request-id', 'C0DE:1A2B:3C4D5E:6F7A8B:65A1B2C3'], ['x-kong-request-id', '5f4dcc3b5aa765d61d8327deb882cf99'],
  ['x-powered-by', 'PHP/8.2.12'], ['x-ratelimit-remaining-tokens', '149984'], ['x-ratelimit-reset', '1372700873'], ['x-request-id', '7b44a9d0-5b0f-4d7a-9f5e-2b1c3d4e5f60'],
  ['x-requested-with', 'XMLHttpRequest'], ['x-runtime', '0.031415'], ['x-served-by', 'cache-fra-eddf8230021-FRA'], ['x-timer', 'S1700000000.123456,VS0,VE1'],
  ['x-ua-compatible', 'IE=edge'], ['x-vercel-id', 'fra1::iad1::abcde-1700000000000-0123456789ab'], ['x-xss-protection', '1; mode=block'],
  ['x-correlation-id', '01HF3Z5Q6R7S8T9V0W1X2Y3Z4A'], ['surrogate-key', 'post-1234 author-99 tag-security token-news'], ['idempotency-key', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ['range', 'bytes=0-1023'], ['content-range', 'bytes 0-1023/146515'], ['upgrade-insecure-requests', '1'], ['priority', 'u=0, i'], ['dnt', '1'],
]

const PATHS = ['/', '/index.html', '/api/v1/users/12345/orders', '/wp-content/themes/twentytwentyfour/assets/css/style.min.css', '/static/js/main.8f3a2b1c.chunk.js',
  '/.well-known/openid-configuration', '/oauth2/token', '/reset-password', '/o/%E6%97%A5%E6%9C%AC%E8%AA%9E/a%20b', '/p/8e03978e-40d5-43dd-bc93-6894a57f9324',
  '/repos/acme/app/commits/33a64df551425fcc55e4d42a148795d9f25f89d4', '/@user/photos', '/_next/data/Xk3bZ9vQpLmN4rT7sWyA1/index.json']
const QUERIES = ['q=hello+world&page=2', 'utm_source=newsletter&utm_medium=email&utm_campaign=spring_sale_2024', 'id=8e03978e-40d5-43dd-bc93-6894a57f9324', 'sort_key=name&order=asc',
  'lat=52.520008&lon=13.404954', 'v=1.2.3&hash_type=md5&monkey=1', 'grant_type=client_credentials&client_id=web', 'redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&state=af0ifjsldkj&scope=openid%20profile',
  'fields=id,name,created_at&limit=100', 'next_page_token=2&max_tokens=100']

/** Values of the request headers in the tests of the CRS (attacks mostly, so only what is untouched by them). */
function crsHeaders(): [string, string][] {
  const found: [string, string][] = []
  for (const file of globSync('**/*.yaml', { cwd: join(CORPORA, 'security/crs/tests') })) {
    for (const document of parseAllDocuments(readFileSync(join(CORPORA, 'security/crs/tests', file), 'utf8'))) {
      const tests = (document.toJS() as { tests?: { stages?: { input?: { headers?: Record<string, unknown> } }[] }[] } | null)?.tests ?? []
      for (const stage of tests.flatMap((one) => one.stages ?? [])) {
        for (const [name, value] of Object.entries(stage.input?.headers ?? {})) found.push([name.toLowerCase(), String(value)])
      }
    }
  }
  return found
}

function userAgents(): string[] {
  const crawlers = JSON.parse(readFileSync(join(CORPORA, 'user-agents/crawler-user-agents/crawler-user-agents.json'), 'utf8')) as { instances?: string[] }[]
  const browsers = parse(readFileSync(join(CORPORA, 'user-agents/uap-core/test_ua.yaml'), 'utf8')) as { test_cases: { user_agent_string: string }[] }
  const devices = [...readFileSync(join(CORPORA, 'user-agents/uap-core/test_device.yaml'), 'utf8').matchAll(/user_agent_string: '(.*)'$/gm)]
  return [...crawlers.flatMap((one) => one.instances ?? []), ...browsers.test_cases.map((one) => one.user_agent_string),
    ...devices.map((one) => (one[1] ?? '').replaceAll("''", "'"))]
}

test('ordinary header values, paths and queries stay as they are', () => {
  const probe = new WallProbe()
  const changed: string[] = []
  for (const [name, value] of ORDINARY) if (probe.header(name, value) !== value) changed.push(`${name}: ${value} -> ${probe.header(name, value)}`)
  for (const path of PATHS) if (probe.path(path) !== path) changed.push(`${path} -> ${probe.path(path)}`)
  for (const query of QUERIES) if (probe.query(query) !== query) changed.push(`${query} -> ${probe.query(query)}`)
  for (let index = 0; index < 2000; index++) {
    const id = randomUUID()
    for (const value of [id, id.replaceAll('-', ''), `"${id}"`]) if (probe.header('x-request-id', value) !== value) changed.push(value)
  }
  assert.deepEqual(changed, [])
})

test('user agents stay as they are', { skip: missing }, (context) => {
  const probe = new WallProbe()
  const all = userAgents()
  const changed = all.filter((value) => probe.header('user-agent', Buffer.from(value)) !== Buffer.from(value).toString('latin1'))
  context.diagnostic(`${changed.length} of ${all.length} user agents changed`)
  assert.ok(all.length > 15_000)
  // By its syntax "mailto://x@y" has user info.
  assert.deepEqual(changed.filter((value) => !value.includes('mailto://')), [])
})

test('headers of the CRS tests stay as they are, except where they hold what looks like a secret', { skip: missing }, (context) => {
  const probe = new WallProbe()
  const all = crsHeaders().filter(([name]) => !/cookie|authorization|token|key|session/.test(name))
  const changed = all.filter(([name, value]) => probe.header(name, Buffer.from(value)) !== Buffer.from(value).toString('latin1'))
  context.diagnostic(`${changed.length} of ${all.length} header values changed: ${changed.map((one) => one.join(': ')).join(' | ')}`)
  assert.ok(changed.length <= all.length / 200)
})
