/** Who may see the page, and what a browser is allowed to make of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { numberedLines } from '../store/testing/stored.ts'
import { OpenPage, storeOf, TOKEN } from './testing/open-page.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-web-'))
const store = join(folder, 'store')
let page: OpenPage
before(async () => {
  await storeOf(store, [...numberedLines(0, 20), JSON.stringify({
    kind: 'exchange', time: '2026-05-28T20:26:40.500000000Z', event: { sequence: 100 }, user_agent: { original: '=cmd|\'/c calc\'!A0' },
    http: { request: { method: '@SUM(1)', header: { host: ['<script>alert(1)</script>'], 'user-agent': ['=cmd'] } }, response: { status_code: 200 } },
    url: { path: '/a', domain: '<img src=x onerror=alert(1)>' },
  })])
  page = await (await new OpenPage(store).start()).enter()
})
after(async () => {
  await page.server.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** What is asked without any cookie. */
async function stranger(): Promise<OpenPage> {
  const other = new OpenPage(undefined)
  other.url = page.url
  return other
}

const DATA = ['/', '/overview', '/api/about', '/api/view/hosts', '/api/records', '/api/exchange?time=x&sequence=1', '/page/main.ts', '/lib/preact.js', '/nowhere']

test('without a session nothing but the form is given', async () => {
  const other = await stranger()
  for (const path of DATA) {
    const { status, text } = await other.ask(path)
    assert.equal(status, 401, path)
    assert.doesNotMatch(text, /shop\.example|http_request|import /, path)
  }
  other.cookie = page.cookie.replace(/.$/, last => last === 'A' ? 'B' : 'A')
  assert.equal((await other.ask('/api/about')).status, 401)
  other.cookie = page.cookie.replace(/=.*/, `=${TOKEN}`)
  assert.equal((await other.ask('/api/about')).status, 401)
})

test('the token opens a session by link or by form, leaves the address, and the cookie is for this server alone', async () => {
  const other = await stranger()
  const byLink = await other.ask(`/overview?range=1h&token=${TOKEN}`)
  assert.equal(byLink.status, 303)
  assert.equal(byLink.headers.location, '/overview?range=1h')
  const cookie = byLink.headers['set-cookie']?.[0] ?? ''
  assert.match(cookie, /^lintel_\d+=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
  assert.ok(!cookie.includes(TOKEN))
  const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  const byForm = await other.ask('/login', { ...form, body: `token=${TOKEN}&next=${encodeURIComponent('/live?filter=a')}` })
  assert.equal(byForm.status, 303)
  assert.equal(byForm.headers.location, '/live?filter=a')
  for (const next of ['//evil.example/', '/\\evil.example', 'https://evil.example', '/a\r\nset-cookie: x=1', 'javascript:alert(1)']) {
    const { headers } = await other.ask('/login', { ...form, body: `token=${TOKEN}&next=${encodeURIComponent(next)}` })
    assert.equal(headers.location, '/', next)
    assert.equal(headers['set-cookie']?.length, 1)
  }
  other.cookie = cookie.split(';')[0] as string
  assert.equal((await other.ask('/api/about')).status, 200)
  assert.equal((await other.ask('/logout', { method: 'POST' })).status, 303)
  assert.equal((await other.ask('/api/about')).status, 401)
})

test('a foreign Host, Origin or site is refused, with or without a session', async () => {
  const { host } = new URL(page.url)
  const port = host.split(':')[1] as string
  for (const name of ['evil.example', `evil.example:${port}`, '127.0.0.1', '127.0.0.1:1', `127.0.0.1.evil.example:${port}`, `localhost.:${port}`, `0.0.0.0:${port}`]) {
    const { status, text } = await page.ask('/api/about', { headers: { host: name } })
    assert.equal(status, 403, name)
    assert.match(text, /under this name/)
  }
  for (const name of [host, `localhost:${port}`, `LOCALHOST:${port}`]) assert.equal((await page.ask('/api/about', { headers: { host: name } })).status, 200, name)
  for (const origin of ['null', 'http://evil.example', `https://${host}`, 'http://127.0.0.1', `http://localhost:${port}`]) {
    assert.equal((await page.ask('/api/about', { headers: { origin } })).status, 403, origin)
    assert.equal((await page.ask('/login', { method: 'POST', body: `token=${TOKEN}`, headers: { origin } })).status, 403, origin)
  }
  assert.equal((await page.ask('/api/about', { headers: { origin: `http://${host}` } })).status, 200)
  for (const site of ['cross-site', 'same-site']) {
    assert.equal((await page.ask('/api/about', { headers: { 'sec-fetch-site': site, 'sec-fetch-mode': 'cors' } })).status, 403)
    assert.equal((await page.ask('/lib/preact.js', { headers: { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' } })).status, 403)
    assert.equal((await page.ask('/overview', { headers: { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' } })).status, 200)
  }
  // A link elsewhere comes without the cookie: the page asks itself once more, and then has it.
  const { status, text } = await (await stranger()).ask('/overview', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' } })
  assert.equal(status, 200)
  assert.match(text, /http-equiv="refresh" content="0"/)
})

test('after ten wrong tokens none is looked at for a minute, the right one neither; who is in stays in', async () => {
  const own = await (await new OpenPage(store).start()).enter()
  const other = new OpenPage()
  other.url = own.url
  for (let index = 0; index < 10; index++) assert.equal((await other.ask(`/?token=wrong-${index}`)).status, 401)
  for (const path of [`/?token=${TOKEN}`, '/?token=wrong']) {
    const { status, headers } = await other.ask(path)
    assert.equal(status, 429)
    assert.ok(Number(headers['retry-after']) >= 1 && Number(headers['retry-after']) <= 60)
    assert.equal(headers['set-cookie'], undefined)
  }
  assert.equal((await own.ask('/api/about')).status, 200)
  await own.server.stop()
  assert.equal(own.lines.filter(line => line.includes('wrong token')).length, 10)
  assert.ok(own.lines.some(line => line.includes('after too many wrong ones')))
  assert.ok(!own.lines.join().includes(TOKEN) && !own.lines.join().includes('wrong-1'))
})

test('no path reaches a file, and what is no path is refused', async () => {
  const paths = ['/page/../page-server.ts', '/page/%2e%2e/page-server.ts', '/page/..%2fpage-server.ts', '/page/..%5cpage-server.ts', '/lib/../../package.json',
    '/page/main.ts%00', '/page/tsconfig.json', '/page//main.ts', '/lib/preact', '/../../etc/passwd', '//etc/passwd', '/page/', '/lib/uplot.js/../preact.js%2f']
  for (const path of paths) {
    const { status, text } = await page.ask(path)
    assert.ok(status === 404 || status === 400 || status === 303, `${path}: ${status}`)
    assert.doesNotMatch(text, /import |root:|"name"/, path)
  }
  for (const name of ['__proto__', 'constructor', '..%2f..', "x';--", '<script>']) {
    const { status, headers } = await page.ask(`/api/view/${encodeURIComponent(name)}`)
    assert.equal(status, 404, name)
    assert.match(headers['content-type'] ?? '', /^application\/json/)
  }
})

test('every answer carries the policy, is not kept, and data is never a page', async () => {
  for (const path of [...DATA, '/api/view/hosts?format=csv', '/icon.svg', '/login']) {
    const { headers } = await page.ask(path)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'/, path)
    assert.doesNotMatch(policy, /unsafe|\*|http/, path)
    assert.match(policy, /frame-ancestors 'none'.*require-trusted-types-for 'script'; trusted-types 'none'/)
    assert.equal(headers['x-content-type-options'], 'nosniff', path)
    assert.equal(headers['cache-control'], 'no-store', path)
    assert.equal(headers['referrer-policy'], 'same-origin', path)
    assert.equal(headers['access-control-allow-origin'], undefined, path)
    if (path.startsWith('/api/')) assert.match(headers['content-type'] ?? '', /^(application\/json|text\/csv)/, path)
  }
  const { text } = await page.ask('/overview?filter=%3Cscript%3Ealert(1)%3C/script%3E')
  assert.doesNotMatch(text, /alert|<script>|style=|onload/)
  const form = await (await stranger()).ask('/overview?x="><script>alert(1)</script>')
  assert.doesNotMatch(form.text, /<script/)
})

test('cells that a spreadsheet would run are text', async () => {
  const agents = (await page.ask('/api/view/user-agents?format=csv')).text.split('\r\n')
  assert.ok(agents.some(line => line.startsWith(`'=cmd|'/c calc'!A0,1,`)), agents.join('\n'))
  const methods = (await page.ask('/api/view/methods?format=csv')).text.split('\r\n')
  assert.equal(methods[0], 'Method,Requests,4xx,5xx,5xx share,p50,p99')
  assert.ok(methods.some(line => line.startsWith(`'@SUM(1),1,`)), methods.join('\n'))
  for (const line of [...agents, ...methods]) assert.doesNotMatch(line, /^["]?[=+\-@]/)
})

test('SQL in parameters stays a value, and what is wrong is told', async () => {
  const cases = [
    ['/api/view/hosts?limit=1;DROP VIEW records', /limit=.*whole number/], ['/api/view/hosts?from=-1', /from=/], ['/api/view/hosts?from=5&to=5', /must be before/],
    ['/api/view/hosts?limit=99999999', /up to 10000/], ['/api/view/hosts?to=99999999999999', /to=/], ["/api/exchange?time=2026-01-01' OR 1=1 --&sequence=1", /as records do/],
    ['/api/exchange?time=2026-01-01T00:00:00.000000000Z&sequence=1 OR 1', /sequence=/], ['/api/view/hosts?filter=http.response.status >= 500', /no field|did you mean|status_code/i],
    ['/api/records?filter=1 ==', /ends too early/], [`/api/records?filter=${'a'.repeat(5000)}`, /4096 are allowed/],
  ] as const
  for (const [path, message] of cases) {
    const { status, text } = await page.ask(path.replaceAll(' ', '%20').replaceAll("'", '%27'))
    assert.equal(status, 400, `${path}: ${text}`)
    assert.match((JSON.parse(text) as { error: string }).error, message)
  }
  const quoted = await page.json<{ rows: unknown[] }>(`/api/view/hosts?filter=${encodeURIComponent(`url.domain == "x') OR (1=1"`)}`)
  assert.deepEqual(quoted.rows, [])
})

test('who looked at what is said, without what a filter compares with', async () => {
  const { status, text } = await page.ask(`/api/records?filter=${encodeURIComponent(`"Bearer hush" in http.request.header["authorization"] || url.path == 'also \\' hush'`)}`)
  assert.equal(status, 200, text)
  const line = page.lines.find(each => each.includes('looked at records, filtered'))
  assert.match(line ?? '', /^info: page: session 1 \(127\.0\.0\.1\) looked at records, filtered by url\.path, http\.request\.header$/)
  assert.ok(!page.lines.join().includes('hush'))
})

test('a request that is too large, or no request, ends with its connection only', async () => {
  const { hostname, port } = new URL(page.url)
  const asked = request({ hostname, port, path: '/api/about', headers: { 'x-large': 'x'.repeat(40_000) } })
  const status = await new Promise<number>((resolve, reject) => {
    asked.on('response', response => { response.resume(); resolve(response.statusCode ?? 0) })
    asked.on('error', reject)
    asked.end()
  })
  assert.equal(status, 431)
  assert.equal((await page.ask('/login', { method: 'POST', body: `token=${'x'.repeat(100_000)}` })).status, 413)
  assert.equal((await page.ask('/api/about', { method: 'DELETE' })).status, 404)
  assert.equal((await page.ask('/api/about')).status, 200)
})
