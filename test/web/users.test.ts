/** A page for others than the loopback: HTTPS, users with passwords, own names. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { configSchema } from '../../src/config.ts'
import { hashPassword, pageSource } from '../../src/web/mod.ts'
import { isPassword } from '../../src/web/password.ts'
import { Sessions } from '../../src/web/sessions.ts'
import { COLUMNS, numberedLines } from '../store/testing/stored.ts'
import { OpenPage, storeOf, TOKEN } from './testing/open-page.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-web-'))
const tls = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') }
const PASSWORD = 'correct horse battery'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
let users: { name: string, password: string, role?: 'viewer' | 'operator' }[]

before(async () => {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', tls.key, '-out', tls.certificate,
    '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'], { stdio: 'ignore' })
  users = [{ name: 'ana', password: await hashPassword(PASSWORD) }, { name: 'ben', password: await hashPassword('another password') }]
})
after(() => { rmSync(folder, { recursive: true, force: true }) })

async function open(t: { after(end: () => Promise<void>): void }, more: object = {}): Promise<OpenPage> {
  const page = new OpenPage(undefined, { access: { users }, tls, names: ['gateway.example'], isLive: true, ...more })
  page.certificate = readFileSync(tls.certificate, 'utf8')
  t.after(() => page.server.stop())
  return await page.start()
}

function logIn(page: OpenPage, name: string, password: string): ReturnType<OpenPage['ask']> {
  return page.ask('/login', { method: 'POST', headers: FORM, body: new URLSearchParams({ name, password, next: '/live' }).toString() })
}

test('users come in by their password over HTTPS; the cookie goes no other way, and the audit names them', async t => {
  const page = await open(t)
  assert.match(page.url, /^https:/)
  const form = await page.ask('/live')
  assert.equal(form.status, 401)
  assert.match(form.text, /name="password" type="password"/)
  for (const [name, password] of [['ana', 'another password'], ['ben', PASSWORD], ['', ''], ['eve', PASSWORD], ['ana', ''], ['ana', TOKEN], ['__proto__', PASSWORD]] as const) {
    const { status, headers } = await logIn(page, name, password)
    assert.equal(status, 401, name)
    assert.equal(headers['set-cookie'], undefined)
  }
  assert.equal((await page.ask(`/?token=${TOKEN}`)).status, 401)
  const { status, headers } = await logIn(page, 'ana', PASSWORD)
  assert.equal(status, 303)
  assert.equal(headers.location, '/live')
  assert.match(headers['set-cookie']?.[0] ?? '', /; HttpOnly; Secure; SameSite=Strict$/)
  page.cookie = headers['set-cookie']?.[0]?.split(';')[0] as string
  assert.equal((await page.ask('/api/about')).status, 200)
  assert.ok(page.lines.includes('info: page: session 1 of ana (127.0.0.1) was opened with the password'), page.lines.join('\n'))
  assert.ok(!page.lines.join().includes(PASSWORD))
})

test('a caller may be wrong ten times a minute, at once or one after the other; another caller is not kept out', async () => {
  let now = 0
  const sessions = new Sessions({ users }, () => now)
  const many = await Promise.all(Array.from({ length: 15 }, () => sessions.open('192.0.2.1', 'ana', 'wrong')))
  assert.equal(many.filter(answer => answer === 'wrong').length, 10)
  assert.equal(typeof await sessions.open('192.0.2.1', 'ana', PASSWORD), 'number')
  assert.equal(typeof await sessions.open('::ffff:192.0.2.1', 'ana', PASSWORD), 'number')
  assert.equal(typeof await sessions.open('192.0.2.2', 'ana', PASSWORD), 'object')
  for (let index = 0; index < 10; index++) await sessions.open(`2001:db8::${index}`, 'ben', 'wrong')
  assert.equal(typeof await sessions.open('2001:db8:0:0:ffff::1', 'ana', PASSWORD), 'number', 'of one /64')
  now = 60_000
  const opened = await sessions.open('192.0.2.1', 'ana', PASSWORD)
  assert.ok(typeof opened === 'object')
  assert.equal(sessions.find(opened.id)?.label, 'session 2 of ana')
  now += 12 * 60 * 60 * 1000
  assert.equal(sessions.find(opened.id), undefined, 'a session ends after twelve hours')
})

test('own names only, by https', async t => {
  const page = await open(t)
  const { host } = new URL(page.url)
  const port = host.split(':')[1] as string
  for (const name of [host, `gateway.example:${port}`, `localhost:${port}`]) assert.equal((await page.ask('/live', { headers: { host: name } })).status, 401, name)
  for (const name of ['gateway.example', `evil.example:${port}`]) assert.equal((await page.ask('/live', { headers: { host: name } })).status, 403, name)
  assert.equal((await page.ask('/login', { method: 'POST', headers: { ...FORM, origin: `https://${host}` } })).status, 401)
  for (const origin of [`http://${host}`, 'https://evil.example']) assert.equal((await page.ask('/login', { method: 'POST', headers: { ...FORM, origin } })).status, 403)
})

test('files that are no certificate and key are told, with the place in the config', () => {
  const wrong = join(folder, 'wrong.pem')
  writeFileSync(wrong, 'nothing')
  assert.throws(() => new OpenPage(undefined, { access: { users }, tls: { ...tls, key: join(folder, 'none.pem') } }), /Cannot serve the page by HTTPS: .*none\.pem.*see web\.tls of the config/)
  assert.throws(() => new OpenPage(undefined, { access: { users }, tls: { ...tls, certificate: wrong } }), /Cannot serve the page by HTTPS: ".*wrong\.pem" and ".*key\.pem" are no certificate/)
})

test('a password is told from others, its hash holds neither it nor the same for two', async () => {
  const [first, second] = [await hashPassword(PASSWORD), await hashPassword(PASSWORD)]
  assert.notEqual(first, second)
  assert.match(first, /^scrypt:[\w-]{22}:[\w-]{43}$/)
  assert.equal(await isPassword(PASSWORD, first), true)
  assert.equal(await isPassword(`${PASSWORD} `, first), false)
  assert.equal(await isPassword('', undefined), false)
})

test('the config refuses another address than the loopback without tls and users, and what is no hash', () => {
  const parse = (web: object): string => configSchema.safeParse({ web }).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n') ?? ''
  const files = { certificate: '/c.pem', key: '/k.pem' }
  assert.match(parse({ address: '0.0.0.0:1' }), /^web\.address: must be a loopback address, .* no web\.tls and web\.users:/)
  assert.match(parse({ address: '[::]:1', tls: files }), /no web\.users:/)
  assert.match(parse({ address: '192.0.2.1:1', users }), /no web\.tls:/)
  assert.equal(parse({ address: '0.0.0.0:1', tls: files, users }), '')
  for (const address of ['127.0.0.1:0', '[::1]:9465', ':9465', 9465, 'localhost:1']) assert.equal(parse({ address }), '', String(address))
  for (const address of ['example.org:1', '1.2.3:1', '127.0.0.1', '[::1]', ':70000', '']) assert.match(parse({ address }), /web\.address/, address)
  assert.match(parse({ users: [{ name: 'ana', password: 'secret word' }] }), /web\.users\.0\.password: must be what "lintel web --hash-password" prints, never the password itself/)
  assert.doesNotMatch(parse({ users: [{ name: 'ana', password: 'secret word' }] }), /secret word/)
  assert.match(parse({ tls: { key: '/k.pem' } }), /^web\.tls: must have both certificate and key/)
  assert.match(parse({ users: [users[0], users[0]] }), /must not be "ana" twice/)
})

test('a viewer sees counts and tables, and nothing that only records show, however a filter writes it; an operator sees all', async t => {
  const store = join(folder, 'roles')
  await storeOf(store, numberedLines(0, 40))
  const hashed = await hashPassword(PASSWORD)
  const access = { users: [{ name: 'vic', password: hashed, role: 'viewer' as const }, { name: 'opa', password: hashed, role: 'operator' as const }] }
  const page = await open(t, { access, source: pageSource({ folder: store }, COLUMNS) })
  const time = new Date(1_780_000_000_003).toISOString().replace('Z', '000000Z')
  const filters = ['"x-number" in http.request.header', 'http.request.header["x-number"][0] == "n3"', 'http . request . header["x-number"][0].startsWith("n")',
    'has(url.query)', 'true || has(http.response.header)', 'size(http.response.trailer) > 0']
  const closed = ['/api/live', '/api/records', `/api/exchange?time=${time}&sequence=3`, '/api/view/by-header?header=x-number', '/api/view/values?field=url.query',
    ...filters.map(filter => `/api/view/totals?filter=${encodeURIComponent(filter)}`),
    `/api/view/hosts?format=csv&filter=${encodeURIComponent(filters[0] as string)}`]
  const shown = ['/api/view/totals', '/api/view/routes?format=csv', `/api/view/totals?filter=${encodeURIComponent('http.request.method == "header"')}`, '/api/health']
  const enter = async (name: string): Promise<void> => {
    page.cookie = ''
    page.cookie = (await logIn(page, name, PASSWORD)).headers['set-cookie']?.[0]?.split(';')[0] as string
  }
  await enter('vic')
  for (const path of closed) {
    const { status, text } = await page.ask(path)
    // What no filter can be made of is refused to everybody.
    assert.ok(status === 403 || (status === 400 && path.includes('filter=')), `${path}: ${status} ${text}`)
    assert.match(text, status === 403 ? /to a viewer: ask for the role ..operator/ : /Cannot/)
  }
  for (const path of shown) assert.equal((await page.ask(path)).status, 200, path)
  assert.equal((await page.json<{ role: string }>('/api/about')).role, 'viewer')
  assert.ok(page.lines.some(line => /session 1 of vic \(127\.0\.0\.1\) was refused \/api\/exchange$/.test(line)), page.lines.join('\n'))
  await enter('opa')
  for (const path of [...closed.filter(each => each !== '/api/live'), ...shown]) {
    const { status, text } = await page.ask(path)
    assert.ok(status === 200 || (status === 400 && path.includes('filter=')), `${path}: ${status} ${text}`)
  }
})

test('a role of the config is one of the two, operator without a word', () => {
  const user = { name: 'ana', password: users[0]?.password }
  const parse = (role: object): unknown => configSchema.shape.web.parse({ users: [{ ...user, ...role }] }).users[0]?.role
  assert.equal(parse({}), 'operator')
  assert.equal(parse({ role: 'viewer' }), 'viewer')
  assert.throws(() => parse({ role: 'admin' }))
})
