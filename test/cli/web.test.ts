import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { CORPORA, hasCorpora, truthRows } from '../conformance/testing/corpora.ts'
import { numberedLines } from '../store/testing/stored.ts'
import { EventStream } from '../web/testing/event-stream.ts'
import { OpenPage, storeOf } from '../web/testing/open-page.ts'
import { root } from './testing/lintel.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-web-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('lintel web prints a link that opens the page over a store, another token each time, and ends by a signal', async () => {
  const store = join(folder, 'store')
  await storeOf(store, numberedLines(0, 10))
  const tokens = new Set<string>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const child = spawn(`${root}bin/lintel`, ['web', '--store', store, '--listen', '0'], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => { said += text })
    while (!said.includes('?token=')) await Promise.race([once(child.stderr, 'data'), once(child, 'exit')])
    const [, url, token] = /the page shows ".*" at (http:\/\/127\.0\.0\.1:\d+)\/\?token=([\w-]{43})\n/.exec(said) as unknown as [string, string, string]
    tokens.add(token)
    const page = new OpenPage()
    page.url = url
    const entered = await page.ask(`/?token=${token}`)
    page.cookie = entered.headers['set-cookie']?.[0]?.split(';')[0] as string
    assert.equal((await page.json<{ rows: number[][] }>('/api/view/totals')).rows[0]?.[0], 10)
    assert.deepEqual(await page.json('/api/about').then(about => [(about as { hasStore: boolean }).hasStore, (about as { isLive: boolean }).isLive]), [true, false])
    assert.equal((await page.ask('/api/live')).status, 404)
    child.kill(signal)
    assert.deepEqual(await once(child, 'exit'), [0, null])
    assert.match(said, /lintel: page: session 1 \(127\.0\.0\.1\) looked at view totals\n/)
  }
  assert.equal(tokens.size, 2)
})

test('the page of a run: its link is printed, it has the records, the store and the figures, and it ends with the run', async context => {
  if (!hasCorpora(context)) return
  const row = truthRows().find(({ http_requests: requests }) => requests > 20 && requests < 500)
  const store = join(folder, 'run-store')
  const child = spawn(process.execPath, [`${root}test/cli/testing/replay-page-child.ts`, `${CORPORA}/${row?.file}`, store], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said += text })
  await once(child.stdout, 'data')
  assert.match(said, /lintel: totals after .*; adds up\n/)
  assert.doesNotMatch(said, /error|warning: output/)
  const [, url, token] = /lintel: page: (http:\/\/127\.0\.0\.1:\d+)\/\?token=([\w-]{43})\n/.exec(said) as unknown as [string, string, string]
  const page = new OpenPage()
  page.url = url
  page.cookie = (await page.ask(`/?token=${token}`)).headers['set-cookie']?.[0]?.split(';')[0] as string
  const [[count]] = (await page.json<{ rows: [[number]] }>('/api/view/totals')).rows
  assert.ok(count >= (row?.http_requests as number))
  const { health } = await page.json<{ health: { outputs: { name: string }[] } }>('/api/health')
  assert.deepEqual(health.outputs.map(({ name }) => name), [`store:${store}`, 'page'])
  const stream = await EventStream.open(`${url}/api/live`, page.cookie)
  await stream.until(() => stream.lines.filter(line => line.startsWith('{"kind":"exchange"')).length === count, 'the same exchanges, live')
  stream.close()
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
  await assert.rejects(page.ask('/api/about'), /ECONNREFUSED/)
})

function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test('the page of an agent that was killed ends with it', async context => {
  if (!hasCorpora(context)) return
  const row = truthRows().find(({ http_requests: requests }) => requests > 20 && requests < 500)
  const child = spawn(process.execPath, [`${root}test/cli/testing/replay-page-child.ts`, `${CORPORA}/${row?.file}`, join(folder, 'killed-store')], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  const page = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
    .find(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('web-process.ts'))
  assert.ok(page !== undefined)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const deadline = performance.now() + 20_000
  while (isRunning(page)) {
    assert.ok(performance.now() < deadline, 'the page\'s process is still there')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
})

test('a config with users: HTTPS without a token, a password by standard input becomes its hash', async () => {
  const [certificate, key, config] = ['certificate.pem', 'key.pem', 'config.yaml'].map(name => join(folder, name)) as [string, string, string]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', certificate,
    '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'ignore' })
  const hash = execFileSync(`${root}bin/lintel`, ['web', '--hash-password'], { input: 'a long password\n', encoding: 'utf8' })
  writeFileSync(config, `web:\n  tls: {certificate: ${certificate}, key: ${key}}\n  users:\n    - {name: ana, password: "${hash.trim()}"}\n`)
  const store = join(folder, 'store')
  const child = spawn(`${root}bin/lintel`, ['web', '--config', config, '--store', store, '--listen', '0'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said += text })
  while (!said.includes('https:')) await Promise.race([once(child.stderr, 'data'), once(child, 'exit')])
  assert.doesNotMatch(said, /token/)
  const page = new OpenPage()
  page.url = /https:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] as string
  page.certificate = readFileSync(certificate, 'utf8')
  const { status } = await page.ask('/login', {
    method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'name=ana&password=a+long+password&next=/',
  })
  assert.equal(status, 303)
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
