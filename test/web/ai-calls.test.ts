/** The view of AI calls says what SQL over the same store says, and what its price table comes to. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { webSchema } from '../../src/config/web.ts'
import { NO_PRICES } from '../../src/web/prices.ts'
import { aiViews } from '../../src/web/views/ai-calls.ts'
import { ask } from '../store/testing/stored.ts'
import { OpenPage, storeOf } from './testing/open-page.ts'

type Value = string | number | boolean | null | Value[]
interface ViewAnswer { readonly rows: Value[][], readonly bucketMs: number, readonly notes: string[] }

interface Call {
  readonly tenant: string
  readonly client: string
  readonly status: number
  readonly model: string | undefined
  readonly requestModel: string | undefined
  readonly input: number | undefined
  readonly cached: number | undefined
  readonly output: number | undefined
}

const START = Date.parse('2026-05-01T10:00:00Z')
const COUNT = 240
const PRICES = {
  currency: 'EUR',
  models: [
    { model: 'gpt-4o-mini*', input: 0.15, output: 0.6, cache_read: 0.075 }, { model: 'gpt-4o*', input: 2.5, output: 10 },
    { model: 'claude_*', input: 3, output: 15, cache_read: 0.3 }, { model: "100%'s", input: 1, output: 1 },
  ],
}
const MODELS = ['gpt-4o-2024-08-06', 'gpt-4o-mini-2024-07-18', 'claude-sonnet', 'claude_sonnet', "100%'s", "100xxx's", undefined]

const folder = mkdtempSync(join(tmpdir(), 'lintel-ai-'))
const store = join(folder, 'store')
const pages: OpenPage[] = []

/** Calls of every model; some without counts, some without an answer's model, some refused; every fifth exchange is none. */
const calls: readonly (Call | undefined)[] = Array.from({ length: COUNT }, (_, index) => index % 5 === 4 ? undefined : {
  tenant: `tenant-${index % 3}`, client: `10.0.0.${index % 4}`, status: index % 11 === 0 ? 429 : index % 13 === 0 ? 500 : 200,
  model: index % 11 === 0 ? undefined : MODELS[index % 7], requestModel: index % 2 === 0 ? 'gpt-4o' : 'asked',
  input: index % 11 === 0 ? undefined : 1000 + index, cached: index % 3 === 0 ? 100 : undefined, output: index % 11 === 0 ? undefined : index,
})

function lineOf(call: Call | undefined, index: number): string {
  return JSON.stringify({
    kind: 'exchange', time: new Date(START + index * 1000).toISOString().replace('Z', '000000Z'), duration: 0.5, event: { sequence: index + 1 },
    client: { address: call?.client ?? '10.0.0.9' }, url: { path: '/v1/chat/completions' },
    http: { request: { method: 'POST', header: { 'x-tenant-id': [call?.tenant ?? 'none'] } }, response: { status_code: call?.status ?? 200 } },
    ...(call === undefined ? {} : {
      gen_ai: {
        operation: { name: 'chat' }, provider: { name: 'openai' }, request: { model: call.requestModel }, response: { model: call.model },
        usage: { input_tokens: call.input, output_tokens: call.output, ...(call.cached === undefined ? {} : { cache_read: { input_tokens: call.cached } }) },
      },
    }),
  })
}

/** What a call costs by the table, worked out here once more. */
function costOf({ model, requestModel, input, cached = 0, output }: Call): number | undefined {
  const name = model ?? requestModel ?? ''
  const price = name.startsWith('gpt-4o-mini') ? PRICES.models[0] : name.startsWith('gpt-4o') ? PRICES.models[1]
    : name.startsWith('claude_') ? PRICES.models[2] : name === "100%'s" ? PRICES.models[3] : undefined
  if (price === undefined || (input === undefined && output === undefined)) return undefined
  const all = input ?? 0
  return (Math.max(all - cached, 0) * price.input + cached * (price.cache_read ?? price.input) + (output ?? 0) * price.output) / 1e6
}

function sum(values: readonly (number | undefined)[]): number | null {
  const known = values.filter(value => value !== undefined)
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0)
}

/** The shared columns of a group of calls. */
function sums(group: readonly Call[]): (number | null)[] {
  const costs = group.map(costOf)
  return [
    group.length, group.filter(({ status }) => status >= 400 && status < 500).length, group.filter(({ status }) => status >= 500).length,
    sum(group.map(({ input }) => input)), sum(group.map(({ cached }) => cached)), sum(group.map(({ output }) => output)),
    sum(costs), costs.filter(each => each === undefined).length,
  ]
}

function near(actual: readonly Value[] | undefined, expected: readonly Value[], what: string): void {
  assert.equal(actual?.length, expected.length, what)
  expected.forEach((value, index) => {
    const found = actual?.[index]
    if (typeof value === 'number' && !Number.isInteger(value)) assert.ok(Math.abs(Number(found) - value) < 1e-9, `${what}: ${found} for ${value}`)
    else assert.deepEqual(found, value, `${what}, column ${index}`)
  })
}

const all = calls.filter(call => call !== undefined)
let page: OpenPage

async function open(more: ConstructorParameters<typeof OpenPage>[1]): Promise<OpenPage> {
  const opened = await (await new OpenPage(store, more).start()).enter()
  pages.push(opened)
  return opened
}

async function rowsOf(name: string, parameters = '', of = page): Promise<Value[][]> {
  return (await of.json<ViewAnswer>(`/api/view/${name}?limit=1000&${parameters}`)).rows
}

before(async () => {
  await storeOf(store, calls.map(lineOf))
  page = await open({ prices: webSchema.parse({ prices: PRICES }).prices })
})
after(async () => {
  for (const opened of pages) await opened.server.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('the totals are those of the calls, and what SQL counts', async () => {
  const [row] = await rowsOf('ai-totals')
  near(row, [...sums(all), 0.5, 0.5], 'totals')
  const [counted] = await ask(store, `SELECT count(*), sum(gen_ai_usage_input_tokens), sum(gen_ai_usage_output_tokens) FROM exchanges
    WHERE gen_ai_operation_name IS NOT NULL`) as [Value[]]
  assert.deepEqual(counted.map(Number), [row![0], row![3], row![5]])
})

for (const [name, parameters, keyOf, keys] of [
  ['ai-models', '', ({ model, requestModel }: Call) => model ?? requestModel, 3], ['ai-clients', '', ({ client }: Call) => client, 2],
  ['ai-by-header', 'header=X-Tenant-Id', ({ tenant }: Call) => tenant, 1],
] as const) {
  test(`${name}: each row is the sum of its calls, the dearest first`, async () => {
    const rows = await rowsOf(name, parameters)
    const groups = Map.groupBy(all, keyOf)
    assert.deepEqual(new Set(rows.map(([key]) => key)), new Set(groups.keys()))
    for (const row of rows) near(row.slice(keys, keys + 8), sums(groups.get(row[0] as string)!), String(row[0]))
    const costs = rows.map(row => row[keys + 6] === null ? -1 : Number(row[keys + 6]))
    assert.deepEqual(costs, costs.toSorted((one, other) => other - one))
  })
}

test('over time every call stands in one point, and a range and a filter narrow it', async () => {
  const over = await rowsOf('ai-calls', `from=${START}&to=${START + COUNT * 1000}`)
  near([1, 2, 3, 4, 5, 6, 7, 8].map(column => sum(over.map(row => row[column] === null ? undefined : Number(row[column])))), sums(all), 'all')
  const range = `from=${START + 60_000}&to=${START + 120_000}`
  near((await rowsOf('ai-totals', range))[0]?.slice(0, 8), sums(calls.slice(60, 120).filter(call => call !== undefined)), 'a minute')
  const filter = encodeURIComponent('gen_ai.usage.input_tokens > 1100 && client.address == "10.0.0.1"')
  near((await rowsOf('ai-totals', `filter=${filter}`))[0]?.slice(0, 8), sums(all.filter(({ input, client }) => (input ?? 0) > 1100 && client === '10.0.0.1')), 'a filter')
})

test('where a row of a model leads by a click gives its calls', async () => {
  const narrow = aiViews(NO_PRICES).find(({ name }) => name === 'ai-models')!.narrow!
  for (const [model, , , count] of await rowsOf('ai-models')) {
    const filter = encodeURIComponent(narrow.replaceAll('%', () => JSON.stringify(model)))
    assert.equal((await rowsOf('ai-totals', `filter=${filter}`))[0]?.[0], count, String(model))
  }
})

test('without prices there are no costs, and nothing is invented', async () => {
  const bare = await open({})
  const [row] = await rowsOf('ai-totals', '', bare)
  assert.deepEqual([row?.[0], row?.[6], row?.[7]], [all.length, null, all.length])
  const { hasPrices, views } = await bare.json<{ hasPrices: boolean, views: { name: string, columns: { title: string }[] }[] }>('/api/about')
  assert.equal(hasPrices, false)
  assert.equal(views.find(({ name }) => name === 'ai-models')?.columns[9]?.title, 'Cost')
  assert.match((await page.ask('/api/view/ai-models?format=csv')).text, /^Model,Provider,Operation,Calls,4xx,5xx,Input tokens,Of them cached,Output tokens,"?Cost, EUR"?/)
})

test('names of headers are checked, and a price table as well', async () => {
  for (const header of ['', 'a b', "x']--"]) assert.equal((await page.ask(`/api/view/ai-by-header?header=${encodeURIComponent(header)}`)).status, 400, header)
  for (const models of [[{ model: '', input: 1, output: 1 }], [{ model: 'x', input: -1, output: 1 }], [{ model: 'x', input: 1 }]]) {
    assert.equal(webSchema.safeParse({ prices: { models } }).success, false)
  }
})
