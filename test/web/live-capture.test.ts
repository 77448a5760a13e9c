/** The page over a live capture: real nginx, real clients, a real browser. What it shows is what SQL over the store of the same run says. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { after, before, test, type TestContext } from 'node:test'
import { BrowserPage, hasBrowser } from './testing/browser.ts'
import { LivePage } from './testing/live-page.ts'
import { CHARTS, TABLES } from './testing/page-truth.ts'
import { EVIL, hasVisitors, LONG_VALUE } from './testing/shop.ts'

const IDLE = `document.querySelectorAll('[aria-busy=true]').length === 0 && !document.querySelector('main')?.innerText.includes('asking the store')`
/** A folder for pictures of every view, for people to look at; none are made without it. */
const PICTURES = process.env['LINTEL_PICTURES']
/** All of the first trade, whatever is bought later. */
let range = { fromMs: 0, toMs: 0 }
let live: LivePage
let browser: BrowserPage
const hasAll = process.getuid?.() === 0 && hasVisitors()

/** Live capture needs root, a gateway and its visitors: with CI=true missing means failed. */
function isPossible(context: TestContext): boolean {
  if (!hasBrowser(context)) return false
  if (hasAll) return true
  const notice = 'a live capture needs root, nginx, curl and h2load'
  if (process.env['CI'] === 'true') throw new Error(notice)
  context.skip(notice)
  return false
}

before(async () => {
  if (!hasAll) return
  live = await LivePage.start()
  const fromMs = Date.now() - 1000
  await live.shop.trade()
  await live.settled()
  range = { fromMs, toMs: Date.now() }
  browser = await BrowserPage.start()
})
after(async () => {
  await browser?.close()
  await live?.stop()
})

function address(path: string, more = ''): string {
  return `${live.origin}${path}?from=${range.fromMs}&to=${range.toMs}${more}`
}

async function open(url: string): Promise<void> {
  await browser.open(url)
  await browser.until(`document.querySelector('main')?.childElementCount > 0 && ${IDLE}`)
}

async function noTrouble(): Promise<void> {
  assert.deepEqual(browser.troubles.splice(0), [])
  assert.equal(await browser.evaluate(`document.title.startsWith('Lintel')`), true)
  assert.equal(await browser.evaluate(`document.querySelectorAll('#page script, #page img').length`), 0)
}

/** A table as it is read: rows of cells, counts without their commas. */
async function cellsOf(view: string, titles: readonly string[]): Promise<string[][]> {
  const rows = await browser.evaluate<string[][]>(`(() => {
    const table = document.querySelector('[data-view=${view}] table')
    const at = ${JSON.stringify(titles)}.map(title => [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent.trim() === title))
    return [...table.tBodies[0].rows].map(row => at.map(index => row.cells[index].textContent.trim()))
  })()`)
  return rows.map(row => row.map(cell => /^\d[\d,]*$/.test(cell) ? cell.replaceAll(',', '') : cell))
}

test('a wrong token is refused, a foreign Host too; the printed link opens the page and leaves the address', async context => {
  if (!isPossible(context)) return
  await browser.open(`${live.origin}/overview?token=wrong`)
  await browser.until(`document.body.innerText.includes('That is not the token')`)
  assert.equal(await browser.evaluate(`document.querySelector('#page')`), null)
  const status = await new Promise(resolve => {
    request(`${live.origin}/`, { headers: { host: 'evil.example' } }, response => { resolve(response.statusCode) }).end()
  })
  assert.equal(status, 403)
  browser.troubles.splice(0) // the browser logs the refusal
  await open(live.link)
  assert.equal(await browser.evaluate('location.search'), '')
  await noTrouble()
})

test('every table of every view has rows, and they are what SQL says', async context => {
  if (!isPossible(context)) return
  for (const [path, tables] of Object.entries(TABLES)) {
    await open(address(path, path === '/consumers' ? '&header=x-tenant-id' : ''))
    for (const { view, titles, sql } of tables) {
      const truth = (await live.query(sql(range))).map(row => Object.values(row).map(value => value === null ? '–' : Array.isArray(value) ? value.join(', ') : String(value)))
      const shown = await cellsOf(view, titles)
      assert.ok(shown.length > 0, view)
      assert.deepEqual(shown.toSorted(), truth.toSorted(), view)
    }
    await noTrouble()
  }
})

test('the totals are what SQL says', async context => {
  if (!isPossible(context)) return
  await open(address('/overview'))
  const shown = await browser.evaluate<Record<string, string>>(`Object.fromEntries([...document.querySelectorAll('[data-view=totals] dl > div')]
    .map(each => [each.querySelector('dt').textContent, each.querySelector('dd').textContent.trim().replaceAll(',', '')]))`)
  const [truth] = await live.query(`SELECT count(*) AS "Requests", count(*) FILTER (http_response_status_code BETWEEN 400 AND 499) AS "4xx",
    count(*) FILTER (http_response_status_code >= 500) AS "5xx", count(DISTINCT client_address) AS "Clients" FROM exchanges WHERE ${within()}`)
  for (const [title, count] of Object.entries(truth ?? {})) assert.equal(shown[title], String(count), title)
})

function within(): string {
  return `"time" >= make_timestamp_ns(${range.fromMs}000000) AND "time" < make_timestamp_ns(${range.toMs}000000)`
}

/** A line that stays below this share of a chart's height lies on its axis, under the lines that are drawn later. */
const FLAT = 0.03

test('every chart is drawn, and its points are what SQL counts', async context => {
  if (!isPossible(context)) return
  for (const { path, title, view, lines, sql } of CHARTS) {
    if (!(await browser.evaluate<string>('location.href')).includes(path)) await open(address(path))
    const asked = await browser.evaluate<string>(`performance.getEntriesByType('resource').map(each => each.name).findLast(name => name.includes('/api/view/${view}?'))`)
    const { rows, bucketMs } = await browser.evaluate<{ rows: (number | null)[][], bucketMs: number }>(`fetch(${JSON.stringify(asked)}).then(answer => answer.json())`)
    const truth = (await live.query(sql(range, bucketMs))).map(row => Object.values(row).map(Number))
    assert.deepEqual(rows.map(row => [0, ...lines.map(({ column }) => column)].map(column => Number(row[column]))), truth, title)
    const chart = `[...document.querySelectorAll('.card')].find(card => card.querySelector('h2')?.textContent === ${JSON.stringify(title)})`
    const most = (columns: readonly number[]): number => Math.max(...rows.flatMap(row => columns.map(column => Number(row[column]))))
    const highest = most(lines.map(({ column }) => column))
    for (const { column, colour } of lines) {
      if (most([column]) < FLAT * highest) continue
      assert.ok(await browser.evaluate<number>(coloured(chart, colour)) > 10, `${title}: a line of --${colour}`)
    }
    // Where the first line is highest, by the mouse: the legend says it.
    const column = lines[0]?.column as number
    const peak = rows.reduce((best, row) => Number(row[column]) > Number(best[column]) ? row : best)
    const over = await browser.evaluate<{ x: number, y: number, width: number, height: number }>(`${chart}.querySelector('.u-over').getBoundingClientRect().toJSON()`)
    const start = Math.floor(range.fromMs / bucketMs) * bucketMs
    const points = Math.ceil((range.toMs - start) / bucketMs)
    await browser.page.mouse.move(0, 0)
    await browser.page.mouse.move(over.x + over.width * ((peak[0] as number) - start) / bucketMs / (points - 1), over.y + over.height / 2)
    await browser.until(`${chart}.querySelector('.u-legend tr:first-child .u-value').textContent !== ''`)
    const perSecond = title.includes('per second') ? bucketMs / 1000 : 1
    const told = await browser.evaluate<string>(`[...${chart}.querySelectorAll('.u-legend tr')].find(row => row.textContent.includes(${JSON.stringify(lines[0]?.title)})).querySelector('.u-value').textContent`)
    const wanted = Number(peak[column]) / perSecond
    assert.ok(Math.abs(Number(told.replaceAll(',', '')) - wanted) <= Math.max(0.5, wanted * 0.01), `${title}: ${told} is ${wanted}`)
  }
  await noTrouble()
})

/** How many pixels of a chart have a colour of the page, nearly. */
function coloured(chart: string, colour: string): string {
  return `(() => {
    const drawn = ${chart}.querySelector('canvas')
    const { width, height } = drawn
    const copy = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d', { willReadFrequently: true })
    copy.drawImage(drawn, 0, 0)
    const { data } = copy.getImageData(0, 0, width, height)
    const wanted = getComputedStyle(document.documentElement).getPropertyValue('--${colour}').trim().match(/\\w\\w/g).map(part => parseInt(part, 16))
    let count = 0
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 128 && wanted.every((part, index) => Math.abs(part - data[at + index]) < 40)) count++
    return count
  })()`
}

test('one exchange is opened by a click: all its headers, markup as text, 60 KB and binary values too', async context => {
  if (!isPossible(context)) return
  const [port] = live.shop.ports
  const logged = (await live.lintel.records()).filter(({ kind, server }) => kind === 'exchange' && server?.port === port)
  for (const [path, name, value] of [['/evil', 'x-evil', EVIL], ['/assets/large', 'x-long', LONG_VALUE], ['/evil', 'x-binary', 'caf\u00e9 \u0080\u00ff']] as const) {
    const record = logged.find(({ url, http }) => url?.path === path && http?.request?.header?.[name] !== undefined)
    assert.deepEqual(record?.http?.request?.header?.[name], [value])
    await open(address('/records', `&filter=${encodeURIComponent(`url.path == "${path}" && server.port == ${port}`)}`))
    await browser.page.locator('.record:not(.head)', { hasText: path }).click()
    await browser.until(`location.pathname === '/exchange' && document.querySelector('.detail') !== null`)
    const headers = await browser.evaluate<string[][]>(`[...document.querySelectorAll('.detail .columns:first-of-type tr')].map(row => [...row.children].map(cell => cell.textContent))`)
    const lines = [record?.http?.request?.header, record?.http?.response?.header].flatMap(side => Object.entries(side ?? {}).flatMap(([header, values]) => values.map(each => [header, each])))
    assert.ok(headers.some(([header, shown]) => header === name && shown === value), name)
    assert.deepEqual(headers.map(([header]) => header).toSorted(), lines.map(([header]) => header as string).toSorted())
    assert.equal(await browser.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, 'nothing runs out of the window')
    await noTrouble()
  }
})

test('live: rows come as they are logged, few of them in the document; pause, completion of a host, one opened', async context => {
  if (!isPossible(context)) return
  const { shop } = live
  await browser.open(`${live.origin}/live`)
  await browser.until(`/^\\d+ records$/.test(document.querySelector('[role=status]')?.textContent)`)
  const count = `parseInt(document.querySelector('[role=status]').textContent)`
  const first = await browser.evaluate<number>(count)
  for (let index = 0; index < 100; index++) await shop.visit({ path: `/live/${index}`, headers: { 'x-evil': EVIL } })
  await browser.until(`${count} >= ${first} + 200 && [...document.querySelectorAll('.record')].some(row => row.textContent.includes('/live/99'))`)
  assert.ok(await browser.evaluate<number>(`document.querySelectorAll('.record').length`) < 100)
  await browser.page.mouse.move(600, 500)
  await browser.page.mouse.wheel(0, -100_000)
  await browser.until(`[...document.querySelectorAll('.record')].some(row => row.ariaRowIndex === '2')`)
  await browser.page.getByRole('button', { name: 'To the newest' }).click()
  await browser.until(`[...document.querySelectorAll('.record')].some(row => row.textContent.includes('/live/99'))`)
  await browser.page.getByRole('button', { name: 'Pause' }).click()
  const held = await browser.evaluate<number>(count)
  await shop.visit({ path: '/while-paused' })
  await browser.until(`/\\(\\d+ wait\\)/.test(document.querySelector('.bar-line button').textContent)`)
  assert.equal(await browser.evaluate(count), held)
  assert.equal(await browser.evaluate(`document.querySelector('.records').textContent.includes('/while-paused')`), false)
  await browser.page.getByRole('button', { name: 'Go on' }).click()
  await browser.until(`[...document.querySelectorAll('.record')].some(row => row.textContent.includes('/while-paused'))`)
  await browser.press('/')
  await browser.page.keyboard.type('url.domain == "rep')
  await browser.until(`[...document.querySelectorAll('[role=option]')].some(option => option.textContent.includes('reports.shop.test'))`)
  await browser.press('ArrowDown')
  await browser.press('Enter')
  await browser.until(`document.getElementById('filter').value === 'url.domain == "reports.shop.test"'`)
  await browser.press('Enter')
  await browser.until(`new URLSearchParams(location.search).get('filter') === 'url.domain == "reports.shop.test"' && document.querySelector('[role=status]') !== null`)
  await shop.visit({ path: '/monthly', host: 'reports.shop.test', headers: { 'x-evil': EVIL } })
  await browser.until(`[...document.querySelectorAll('.record')].some(row => row.textContent.includes('/monthly'))`)
  assert.equal(await browser.evaluate(`[...document.querySelectorAll('.record:not(.head)')].every(row => row.textContent.includes('reports.shop.test'))`), true)
  await browser.page.locator('.record', { hasText: '/monthly' }).click()
  await browser.until(`document.querySelector('aside .pairs')?.textContent.includes('onerror') && document.querySelector('aside .detail h2').textContent.startsWith('502')`)
  await noTrouble()
})

test('the address of every view leads to the same again, by the browser\'s back and by a reload', async context => {
  if (!isPossible(context)) return
  await open(address('/overview', `&filter=${encodeURIComponent('http.response.status_code >= 400')}`))
  const shown = `JSON.stringify([...document.querySelectorAll('[data-view] tbody, [data-view=totals] dd, .records [role=row], .u-legend, .range [aria-pressed=true]')]
    .filter(each => each.closest('[data-view=agent]') === null).map(each => each.textContent))`
  const seen: { address: string, text: string }[] = []
  for (const name of ['Overview', 'Routes', 'Inventory', 'Consumers', 'Records', 'Connections', 'Health']) {
    await browser.page.getByRole('navigation').getByRole('link', { name }).click()
    await browser.until(`document.querySelector('nav [aria-current=page]').textContent === '${name}' && ${IDLE}`)
    const before = { address: await browser.evaluate<string>('location.href'), text: await browser.evaluate<string>(shown) }
    assert.ok(before.text.length > 20, name)
    await browser.page.reload()
    await browser.until(`document.querySelector('main')?.childElementCount > 0 && ${IDLE} && ${shown} === ${JSON.stringify(before.text)}`)
    assert.equal(await browser.evaluate('location.href'), before.address)
    seen.push(before)
  }
  for (const { address: url, text } of seen.toReversed().slice(1, 3)) {
    await browser.page.goBack()
    await browser.until(`location.href === ${JSON.stringify(url)} && ${IDLE} && ${shown} === ${JSON.stringify(text)}`)
  }
  await noTrouble()
})

/** Presses Tab until what has the focus fits, as somebody without a mouse does. */
async function tabTo(condition: string): Promise<void> {
  for (let presses = 0; presses < 150; presses++) {
    await browser.press('Tab')
    const isVisible = await browser.evaluate(`document.activeElement === document.body || document.activeElement.matches(':focus-visible') && getComputedStyle(document.activeElement).outlineStyle !== 'none'`)
    assert.equal(isVisible, true, 'whatever has the focus shows it')
    if (await browser.evaluate(`(${condition})(document.activeElement)`)) return
  }
  assert.fail(`Tab never comes to ${condition}`)
}

test('by the keyboard alone: from the form to a filter, a table\'s row, a record, the live tail', async context => {
  if (!isPossible(context)) return
  await browser.page.context().clearCookies()
  await browser.open(address('/overview'))
  browser.troubles.splice(0)
  await browser.until(`document.activeElement?.tagName === 'INPUT'`) // the form has the focus by itself, a moment after it is there
  await browser.page.keyboard.type(new URL(live.link).searchParams.get('token') as string)
  await browser.press('Enter')
  await browser.until(`document.querySelector('[data-view=methods] tbody tr') !== null && ${IDLE}`)
  await tabTo(`each => each.closest('nav') !== null && each.textContent === 'Routes'`)
  await browser.press('Enter')
  await browser.until(`location.pathname === '/routes' && document.querySelector('[data-view=routes] tbody tr') !== null && ${IDLE}`)
  await browser.press('2')
  await browser.until(`document.querySelector('[data-view=statuses] tbody tr') !== null && ${IDLE}`)
  await tabTo(`each => each.closest('[data-view=statuses]') !== null && each.textContent === '502'`)
  await browser.press('Enter')
  await browser.until(`new URLSearchParams(location.search).get('filter') === 'http.response.status_code == 502' && ${IDLE}`)
  await browser.press('6')
  await browser.until(`location.pathname === '/records' && document.querySelectorAll('.record:not(.head)').length === 12`)
  await tabTo(`each => each.classList.contains('records')`)
  await browser.press('ArrowDown')
  await browser.press('ArrowDown')
  await browser.press('Enter')
  await browser.until(`location.pathname === '/exchange' && document.querySelector('.detail h2')?.textContent.startsWith('502')`)
  await browser.press('1')
  await browser.until(`location.pathname === '/live' && document.querySelectorAll('.record:not(.head)').length > 0`)
  await tabTo(`each => each.classList.contains('records')`)
  await browser.press('ArrowDown')
  await browser.until(`document.querySelector('aside .detail') !== null`)
  await browser.press('Escape')
  await browser.until(`document.querySelector('aside .detail') === null`)
  await browser.press(' ')
  await browser.until(`document.querySelector('.bar-line [aria-pressed=true]') !== null`)
  await noTrouble()
})

test('axe finds no serious fault in any view over live traffic, in a wide and in a narrow window', async context => {
  if (!isPossible(context)) return
  const faults = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html).join(' ')))`
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  for (const path of ['/overview', '/routes', '/inventory', '/consumers', '/records', '/connections', '/health', '/live']) {
    await open(path === '/live' ? `${live.origin}/live` : address(path, '&compare=1&header=x-tenant-id'))
    await browser.evaluate(`${axe}; undefined`)
    for (const [width, colorScheme] of [[1400, 'light'], [1400, 'dark'], [420, 'dark']] as const) {
      await browser.page.setViewportSize({ width, height: 900 })
      await browser.page.emulateMedia({ colorScheme })
      assert.deepEqual(await browser.evaluate(faults), [], `${path}, ${width}, ${colorScheme}`)
      assert.equal(await browser.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, `${path} fits into ${width}`)
      if (PICTURES !== undefined) await browser.page.screenshot({ path: `${PICTURES}${path}-${colorScheme}-${width}.png`, fullPage: true })
    }
    await browser.page.setViewportSize({ width: 1400, height: 900 })
  }
  await noTrouble()
})

test('the run ends with its page, and its ledger adds up', async context => {
  if (!isPossible(context)) return
  await browser.open('about:blank')
  assert.match(await live.lintel.stop(), /dropped 0; .*lost 0; .*adds up/)
  await assert.rejects(fetch(live.origin))
})
