/** The page in a real browser, over a store and a live tail: what a person does, by keys too; no trouble in the console. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { BrowserPage, hasBrowser } from './testing/browser.ts'
import { OpenPage, storeOf, TOKEN } from './testing/open-page.ts'

const EVIL = '<script>document.title="hacked"</script><img src=x onerror="document.title=\'hacked\'">'
const COUNT = 400
const CONNECTIONS = 100
const START = Math.floor(Date.now() / 1000) * 1000 - 30 * 60_000

const folder = mkdtempSync(join(tmpdir(), 'lintel-web-'))
let page: OpenPage
let opened: BrowserPage | undefined

/** Requests of the last half hour, with markup wherever a client can put some. */
function lines(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, offset) => {
    const index = first + offset
    return JSON.stringify({
      kind: 'exchange', time: new Date(START + index * 1000).toISOString().replace('Z', '000000Z'), duration: 0.01 + index / 10_000, time_to_first_byte: 0.005,
      event: { sequence: index + 1 }, client: { address: '10.0.0.1', port: 40_000 + index % 4 }, server: { address: '10.0.0.9', port: 80 },
      network: { connection: { id: index % 4 } }, url: { scheme: 'http', domain: index % 10 === 0 ? EVIL : 'shop.example', path: index % 2 === 0 ? `/users/${index}` : '/orders' },
      http: {
        request: { method: index % 4 === 0 ? 'POST' : 'GET', header: { host: ['shop.example'], 'x-evil': [EVIL], 'x-long': ['v'.repeat(index === 7 ? 65_536 : 1)], accept: ['a', 'b'] } },
        response: { status_code: index % 20 === 0 ? 503 : 200, reason_phrase: EVIL, header: { server: ['nginx', EVIL] } },
      },
      user_agent: { original: EVIL },
      ...(index % 10 === 3 ? { gen_ai: { operation: { name: 'chat' }, response: { model: EVIL }, usage: { input_tokens: 1000, output_tokens: 10 } } } : {}),
    })
  })
}

/** Connections of the same time: one in ten refused, one in seven reset. */
function connectionLines(count: number): string[] {
  return Array.from({ length: count }, (_, index) => JSON.stringify({
    kind: 'connection', time: new Date(START + index * 4000).toISOString().replace('Z', '000000Z'), duration: 1,
    event: { name: index % 10 === 0 ? 'refused' : index % 7 === 0 ? 'reset' : 'close', sequence: 10_000 + index },
    client: { address: `10.0.0.${index % 3}`, port: 40_000 + index }, server: { address: '10.0.0.9', port: 443 },
    network: { transport: 'tcp', connection: { id: 100 + index } }, tls: { client: { server_name: index % 2 === 0 ? EVIL : 'shop.example' } },
    tcp: { retransmissions: index % 5, resets: index % 7 === 0 ? 1 : 0 },
  }))
}

before(async () => {
  await storeOf(join(folder, 'store'), [...lines(0, COUNT), ...connectionLines(CONNECTIONS)])
  page = await new OpenPage(join(folder, 'store'), { isLive: true, prices: { currency: 'EUR', models: [{ model: '<script>*', input: 2, output: 50 }] } }).start()
})
after(async () => {
  await opened?.close()
  await page.server.stop()
  rmSync(folder, { recursive: true, force: true })
})

const BUSY = `document.querySelectorAll('[aria-busy=true]').length === 0`
const text = (selector: string): string => `[...document.querySelectorAll(${JSON.stringify(selector)})].map(each => each.textContent.trim())`

function theBrowser(): BrowserPage {
  assert.ok(opened !== undefined, 'the first test opens the browser')
  return opened
}

async function noTrouble(): Promise<void> {
  const browser = theBrowser()
  assert.deepEqual(browser.troubles, [])
  assert.equal(await browser.evaluate(`document.title.startsWith('Lintel')`), true)
  assert.equal(await browser.evaluate(`document.querySelectorAll('#page script, #page img').length`), 0)
}

test('the token opens the page, a wrong one does not, and it stays in no address', async context => {
  if (!hasBrowser(context)) return
  const browser = opened = await BrowserPage.start()
  await browser.open(`${page.url}/overview?range=1h`)
  assert.equal(await browser.evaluate(`document.querySelector('form[action="/login"]') !== null`), true)
  // The browser itself logs the refusal of what was opened without a session.
  browser.troubles.splice(0)
  await browser.evaluate(`document.getElementById('token').value = 'wrong', document.querySelector('button').click()`)
  await browser.until(`document.body.innerText.includes('That is not the token')`)
  browser.troubles.splice(0)
  await browser.evaluate(`document.getElementById('token').focus()`)
  await browser.type(TOKEN)
  await browser.press('Enter')
  await browser.until(`document.querySelectorAll('canvas').length === 3 && ${BUSY}`)
  assert.equal(await browser.evaluate('location.pathname + location.search'), '/overview?range=1h')
  assert.equal(await browser.evaluate('document.cookie'), '', 'no script sees the cookie')
  await noTrouble()
})

test('the overview counts what the store has; a click narrows it, and the address says so', async context => {
  if (!hasBrowser(context)) return
  const browser = theBrowser()
  assert.deepEqual(await browser.evaluate(`[...document.querySelectorAll('.totals dt')].map((dt, index) => [dt.textContent, document.querySelectorAll('.totals dd')[index].textContent.trim()]).slice(0, 3)`),
    [['Requests', String(COUNT)], ['4xx', '0'], ['5xx', '20']])
  assert.deepEqual(await browser.evaluate(text('[data-view=methods] tbody tr td:first-child')), ['GET', 'POST'])
  assert.deepEqual(await browser.evaluate(text('[data-view=hosts] tbody tr td:first-child')), ['shop.example', EVIL])
  await browser.evaluate(`[...document.querySelectorAll('[data-view=hosts] a')].find(link => link.textContent.includes('hacked')).click()`)
  await browser.until(`${BUSY} && document.querySelector('.totals dd')?.textContent.trim() === '40'`)
  assert.equal(await browser.evaluate(`new URLSearchParams(location.search).get('filter')`), `url.domain == ${JSON.stringify(EVIL)}`)
  await browser.evaluate('history.back()')
  await browser.until(`${BUSY} && document.querySelector('.totals dd')?.textContent.trim() === '${COUNT}'`)
  await noTrouble()
})

test('by keys alone: filter with completion, a wrong filter is told, records, one opened with all its headers', async context => {
  if (!hasBrowser(context)) return
  const browser = theBrowser()
  await browser.press('/')
  await browser.type('http.response.status')
  await browser.until(`document.querySelectorAll('[role=option]').length > 0`)
  assert.equal((await browser.evaluate<string[]>(text('[role=option] code')))[0], 'http.response.status_code')
  await browser.press('ArrowDown')
  await browser.press('Enter')
  await browser.until(`document.getElementById('filter').value === 'http.response.status_code'`)
  await browser.press('Enter')
  await browser.until(`document.querySelector('.filter [role=alert]')?.textContent.includes('compare it')`)
  // The refused question is in the browser's own log.
  browser.troubles.splice(0)
  await browser.type(' >= 500')
  await browser.press('Enter')
  await browser.until(`${BUSY} && document.querySelector('.totals dd')?.textContent.trim() === '20'`)
  await browser.press('Escape')
  await browser.press('6')
  await browser.until(`location.pathname === '/records' && document.querySelectorAll('.record:not(.head)').length === 20`)
  await browser.evaluate(`document.querySelector('.records').focus()`)
  await browser.press('ArrowDown')
  await browser.press('ArrowDown')
  await browser.until(`document.querySelector('.record.selected')?.ariaRowIndex === '3'`)
  await browser.press('Enter')
  await browser.until(`location.pathname === '/exchange' && document.querySelector('.detail') !== null`)
  const headers = await browser.evaluate<string[][]>(`[...document.querySelectorAll('.detail .columns:first-of-type tr')].map(row => [...row.children].map(cell => cell.textContent))`)
  assert.deepEqual(headers, [['host', 'shop.example'], ['x-evil', EVIL], ['x-long', 'v'], ['accept', 'a'], ['accept', 'b'], ['server', 'nginx'], ['server', EVIL]])
  assert.equal(await browser.evaluate(`document.querySelectorAll('.neighbours li').length`), 100)
  assert.equal(await browser.evaluate(`document.querySelectorAll('.timing .bar span').length`), 2)
  await noTrouble()
})

test('an address leads to one record, also with a value of 64 KiB; one that is not there is told', async context => {
  if (!hasBrowser(context)) return
  const browser = theBrowser()
  const time = new Date(START + 7000).toISOString().replace('Z', '000000Z')
  await browser.open(`${page.url}/exchange?time=${time}&sequence=8`)
  await browser.until(`document.querySelector('.detail') !== null`)
  assert.equal(await browser.evaluate(`[...document.querySelectorAll('.pairs td')].some(cell => cell.textContent.length === 65536)`), true)
  await noTrouble()
  await browser.open(`${page.url}/exchange?time=${time}&sequence=9`)
  await browser.until(`document.querySelector('[role=alert]')?.textContent.includes('it is not in the store')`)
  browser.troubles.splice(0)
})

test('every view over the store shows something, in dark and in light', async context => {
  if (!hasBrowser(context)) return
  const browser = theBrowser()
  for (const [path, views] of [['/routes', ['routes', 'slow-routes', 'failing-routes']], ['/inventory', ['inventory']],
    ['/overview?compare=1', ['methods', 'statuses', 'hosts', 'clients', 'user-agent-classes', 'user-agents', 'connections']], ['/consumers?header=host', ['by-header', 'clients', 'connections']], ['/connections', ['troubled-hosts', 'troubled-clients']],
    ['/ai-calls?header=host&compare=1', ['ai-models', 'ai-clients', 'ai-by-header']], ['/health', ['header-names']]] as const) {
    await browser.open(page.url + path)
    await browser.until(`${views.map(view => `document.querySelector('[data-view=${view}] tbody tr') !== null`).join(' && ')} && ${BUSY}`)
  }
  await browser.open(`${page.url}/connections`)
  await browser.until(`document.querySelectorAll('canvas').length === 2 && document.querySelector('[data-view=troubled-clients] tbody tr') !== null && ${BUSY}`)
  const counted = await browser.evaluate<string[]>(text('[data-view=troubled-hosts] tbody tr:first-child td'))
  assert.deepEqual(counted.slice(1), ['443', '50', '6', '10', '0', '8', '100'], counted[0])
  await browser.open(`${page.url}/ai-calls`)
  await browser.until(`document.querySelectorAll('canvas').length === 3 && document.querySelector('[data-view=ai-clients] tbody tr') !== null && ${BUSY}`)
  const models = await browser.evaluate<string[]>(text('[data-view=ai-models] tbody tr:first-child td'))
  assert.deepEqual(models.slice(0, 11), [EVIL, '–', 'chat', '40', '0', '0', '40,000', '–', '400', '0.1000', '0'])
  await browser.open(`${page.url}/health`)
  await browser.until(`document.querySelector('[data-view=header-names] tbody tr') !== null && ${BUSY}`)
  assert.deepEqual(await browser.evaluate(text('[data-view=header-names] tbody td:first-child')), ['accept', 'host', 'server', 'x-evil', 'x-long'])
  const colours = new Set<string>()
  for (let index = 0; index < 3; index++) {
    await browser.press('t')
    colours.add(await browser.evaluate('getComputedStyle(document.body).backgroundColor'))
  }
  assert.equal(colours.size, 2)
  await noTrouble()
})

test('live: records come, only those in sight are in the document; pause holds them, a filter is the server\'s', async context => {
  if (!hasBrowser(context)) return
  const browser = theBrowser()
  const give = (first: number, count: number): void => page.server.live?.take(Buffer.from(`${lines(first, count).join('\n')}\n`))
  await browser.open(`${page.url}/live`)
  await browser.until(`document.querySelector('[role=status]')?.textContent === '0 records'`)
  give(1000, 500)
  await browser.until(`document.querySelector('[role=status]')?.textContent === '500 records'`)
  assert.ok(await browser.evaluate<number>(`document.querySelectorAll('.record').length`) < 100)
  await browser.until(`[...document.querySelectorAll('.record')].some(row => row.ariaRowIndex === '501')`)
  await browser.press(' ')
  await browser.until(`document.querySelector('[aria-pressed=true]') !== null`)
  give(1500, 10)
  await browser.until(`document.querySelector('.bar-line button').textContent.includes('10 wait')`)
  assert.equal(await browser.evaluate(`document.querySelector('[role=status]').textContent`), '500 records')
  await browser.press(' ')
  await browser.until(`document.querySelector('[role=status]').textContent === '510 records'`)
  page.server.live?.missed(7)
  await browser.until(`document.querySelector('.missed')?.textContent.startsWith('7 not shown')`)
  await browser.evaluate(`document.querySelector('.record:not(.head)').click()`)
  await browser.until(`document.querySelector('aside .detail') !== null`)
  assert.equal(await browser.evaluate(`document.querySelector('aside .pairs').textContent.includes('onerror')`), true)
  await browser.open(`${page.url}/live?filter=${encodeURIComponent('http.response.status_code == 503')}`)
  await browser.until(`document.querySelector('[role=status]')?.textContent === '26 records'`)
  await noTrouble()
})

test('axe finds no serious fault in any view, dark or light', async context => {
  if (!hasBrowser(context)) return
  const browser = theBrowser()
  const faults = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html).join(' ')))`
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  const time = new Date(START + 7000).toISOString().replace('Z', '000000Z')
  for (const path of ['/overview', '/routes', '/inventory', '/consumers?header=host', '/records', '/connections', '/ai-calls?header=host', '/health', '/live', `/exchange?time=${time}&sequence=8`]) {
    await browser.open(page.url + path)
    await browser.until(`document.querySelector('main')?.childElementCount > 0 && !document.body.innerText.includes('asking') && ${BUSY}`)
    await browser.evaluate(`${axe}; undefined`)
    for (const theme of ['first', 'second', 'third']) {
      assert.deepEqual(await browser.evaluate(faults), [], `${path}, ${theme} theme`)
      await browser.press('t')
    }
  }
  await browser.evaluate(`document.querySelector('main').append(document.createElement('img'))`)
  assert.match((await browser.evaluate<string[]>(faults)).join(), /^image-alt: /, 'a planted fault is found')
  await browser.evaluate(`document.querySelector('img').remove()`)
  await noTrouble()
})

test('nothing of the page may load from elsewhere, run inline, or make markup of text', async context => {
  if (!hasBrowser(context)) return
  const browser = theBrowser()
  const refused = await browser.evaluate<Record<string, boolean>>(`(async () => {
    const fails = action => { try { action(); return false } catch { return true } }
    const script = document.createElement('script')
    const inline = fails(() => { script.textContent = 'window.ran = true' }) || (document.body.append(script), window.ran !== true)
    return {
      markup: fails(() => { document.body.insertAdjacentHTML('beforeend', '<b>x</b>') }), code: fails(() => eval('1')), inline,
      elsewhere: await fetch('http://127.0.0.1:1/').then(() => false, () => true),
    }
  })()`)
  assert.deepEqual(refused, { markup: true, code: true, inline: true, elsewhere: true })
})
