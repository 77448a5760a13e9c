/** What views say out of roll-ups is what they say out of the records: counts the same, durations within the error that is told. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { listStore } from '../../src/sink/store/mod.ts'
import { QUANTILE_ERROR } from '../../src/store/mod.ts'
import type { PlainValue } from '../../src/store/mod.ts'
import { answerOf, newestRecords } from '../../src/web/desk-answers.ts'
import { headerView } from '../../src/web/header-view.ts'
import { newestSql } from '../../src/web/records-sql.ts'
import { type Question, questionOf } from '../../src/web/question.ts'
import { StoreDesk } from '../../src/web/store-desk.ts'
import type { View } from '../../src/web/view.ts'
import { VIEWS } from '../../src/web/views/registry.ts'
import { batchesOf, COLUMNS, openStore, StoreHost } from '../store/testing/stored.ts'

const HOUR_MS = 3_600_000
const START = Date.parse('2026-05-01T10:07:31Z')
const COUNT = 6000
const SPAN_MS = 5 * HOUR_MS
const SPANS = [
  {}, { from: START, to: START + SPAN_MS }, { from: START + HOUR_MS + 1234, to: START + 3 * HOUR_MS + 77 }, { from: START, to: START + 600_000 },
  { from: START + SPAN_MS + 1 }, { from: Math.ceil(START / HOUR_MS) * HOUR_MS, to: Math.ceil(START / HOUR_MS) * HOUR_MS + 2 * HOUR_MS },
]
const folder = mkdtempSync(join(tmpdir(), 'lintel-rollup-'))
const store = join(folder, 'store')

/** With what is odd: no host, no status, no duration, none at all, a client of a proxy, an answer of no time. */
function line(index: number, client = index % 37): string {
  const path = [`/users/${index}`, `/articles/${['a', 'b', 'c'][index % 3]}-title`, '/slow', `/things/${(index * 7).toString(36)}x/parts`,
    '/{any}/q', '/'][index % 6]
  return JSON.stringify({
    kind: index % 50 === 49 ? 'anomaly' : 'exchange', time: new Date(START + index * SPAN_MS / COUNT).toISOString().replace('Z', '000000Z'),
    ...(index % 11 === 0 ? {} : { duration: index % 13 === 0 ? 0 : path === '/slow' ? 2 + index / 1000 : (index * 31 % 997 + 1) / 9000 }),
    event: { sequence: index + 1 },
    client: { address: `10.0.${client >> 8}.${client & 255}`, port: 40_000 + index % 3, ...(index % 9 === 0 ? { real_address: '192.0.2.7' } : {}) },
    server: { address: '10.0.0.9', port: 80, process: { executable: { name: 'nginx' } } },
    network: { protocol: { name: 'http', version: index % 4 === 0 ? '2' : '1.1' }, connection: { id: index % 50 } },
    url: { ...(index % 17 === 0 ? {} : { domain: index % 2 === 0 ? 'a.example' : "b'.example" }), path },
    http: {
      request: {
        method: index % 6 === 3 ? 'POST' : 'GET',
        header: {
          ...(index % 3 === 0 ? { 'x-tenant-id': [`t${index % 7}`, 'second'] } : {}),
          ...(index % 6 === 0 ? { authorization: ['Bearer REDACTED'] } : {}),
        },
      },
      response: {
        ...(index % 23 === 0 ? {} : { status_code: index % 19 === 0 ? 503 : index % 8 === 0 ? 404 : index % 29 === 0 ? 101 : 200 }),
        header: { server: ['x'] }, body: { size: index },
      },
    },
    ...(index % 5 === 0 ? {} : { user_agent: { original: index % 2 === 0 ? 'curl/8.0' : `Mozilla/5.0 (X${index % 12})` } }),
    ...(index % 31 === 0 ? { marks: { 'http.response.body.size': 'cut' } } : {}),
  })
}

/** Finished segments with their roll-ups, of so many lines each; the last lines stay in a journal. */
async function fill(path: string, lines: readonly string[], parts: number, waits = true): Promise<void> {
  for (let part = 0; part < parts; part++) {
    const sink = openStore(path, new StoreHost(), { segment: { age: '1s' } })
    const [from, to] = [part, part + 1].map(at => Math.floor(at * lines.length / parts)) as [number, number]
    for (const batch of batchesOf(lines.slice(from, to))) sink.write(batch)
    await sink.flush()
    const isDone = (): boolean => {
      const { journals, segments, rollups, covered, unfinished } = listStore(path)
      return journals.every(({ path: journal }) => readFileSync(journal).length === 0) && segments.length === rollups.size && segments.length > 0 &&
        covered.length + unfinished.length === 0
    }
    for (let left = 1500; waits && !isDone(); left--) {
      assert.ok(left > 0, 'the store was not packed in time')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    await sink.close()
  }
}

async function withDesk<Result>(path: string, use: (desk: StoreDesk) => Promise<Result>): Promise<Result> {
  const desk = new StoreDesk({ folder: path, columns: COLUMNS, threads: 1, memoryMiB: 512, timeoutMs: 60_000 })
  try {
    return await use(desk)
  } finally {
    await desk.close()
  }
}

function asked(span: Readonly<Record<string, number>>): Question {
  return questionOf(new URLSearchParams([['limit', '10000'], ...Object.entries(span).map(([name, ms]) => [name, String(ms)] as [string, string])]), COLUMNS)
}

/** Rows as they are compared: in one order, durations apart. */
function compared(view: View, rows: readonly (readonly PlainValue[])[]): { exact: string[], durations: (number | null)[][] } {
  const isDuration = (index: number): boolean => view.columns[index]?.unit === 'seconds' && view.columns[index]?.title !== 'Longest'
  const each = rows.map(row => {
    const others = row.filter((_, index) => !isDuration(index))
    const exact = JSON.stringify(others, (_, value: unknown) => typeof value === 'bigint' ? Number(value) : value)
    return { exact, durations: row.filter((_, index) => isDuration(index)) as (number | null)[] }
  }).sort((a, b) => a.exact < b.exact ? -1 : 1)
  return { exact: each.map(({ exact }) => exact), durations: each.map(({ durations }) => durations) }
}

function assertSame(view: View, rolled: readonly (readonly PlainValue[])[], plain: readonly (readonly PlainValue[])[], what: string): void {
  const [got, wanted] = [compared(view, rolled), compared(view, plain)]
  assert.deepEqual(got.exact, wanted.exact, what)
  got.durations.forEach((row, at) => {
    row.forEach((value, index) => {
      const exact = wanted.durations[at]?.[index] ?? null
      if (value === null || exact === null) assert.equal(value, exact, what)
      else assert.ok(Math.abs(value - exact) <= exact * QUANTILE_ERROR * 1.000_001, `${what}: ${value} instead of ${exact} in ${got.exact[at]}`)
    })
  })
}

async function assertViews(path: string): Promise<void> {
  await withDesk(path, async desk => {
    let count = 0
    for (const view of [...VIEWS, headerView('x-tenant-id'), headerView('authorization')]) {
      for (const span of SPANS) {
        const question = asked(span)
        const rolled = view.rolled?.(question)
        if (rolled === undefined) continue
        count++
        assertSame(view, (await desk.ask(rolled.sql)).rows, (await desk.ask(view.sql(question))).rows, `${view.name} ${JSON.stringify(span)}`)
      }
    }
    assert.ok(count >= 90, String(count))
  })
}

before(async () => {
  const lines = Array.from({ length: COUNT }, (_, index) => line(index))
  await fill(store, lines.slice(0, 5000), 3)
  await fill(store, lines.slice(5000), 1, false)
})
after(() => { rmSync(folder, { recursive: true, force: true }) })

test('every view says out of roll-ups, at any span, what the records say', async () => {
  assert.ok(listStore(store).rollups.size >= 3)
  await assertViews(store)
})

test('the roll-up of merged segments is that of its parts', async () => {
  const merged = join(folder, 'merged')
  await fill(merged, Array.from({ length: COUNT }, (_, index) => line(index)), 8)
  const { segments, rollups } = listStore(merged)
  assert.equal(segments.length, 1)
  assert.equal(rollups.size, 1)
  await assertViews(merged)
})

test('a roll-up that is damaged or missing is not used: the records are read, and the damage is told', async () => {
  const path = join(folder, 'damaged')
  await fill(path, Array.from({ length: 900 }, (_, index) => line(index)), 3)
  const [first, second, third] = [...listStore(path).rollups.values()].map(rollup => rollup.path) as [string, string, string]
  const bytes = readFileSync(first)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 255
  writeFileSync(first, bytes)
  truncateSync(second, 40)
  rmSync(third)
  const totals = VIEWS.find(({ name }) => name === 'totals') as View
  await withDesk(path, async desk => {
    const question = asked({})
    const { rows, notes } = await answerOf(desk, totals, question)
    assertSame(totals, rows, (await desk.ask(totals.sql(question))).rows, 'totals')
    assert.equal(notes.length, 2)
    for (const note of notes) assert.match(note, /rollup-v2-.* is not used: .*; the records are read instead/)
  })
  // The next that writes makes them anew.
  await fill(path, [line(900)], 1)
  await withDesk(path, async desk => {
    assert.deepEqual((await answerOf(desk, totals, asked({}))).notes, [])
  })
})

test('a roll-up of other bytes than its segment\'s is none of it', async () => {
  const path = join(folder, 'foreign')
  await fill(path, Array.from({ length: 300 }, (_, index) => line(index)), 1)
  const [rollup] = listStore(path).rollups.values()
  const foreign = (rollup?.path as string).replace(/-([0-9a-f]{8})-([0-9a-f]{8})\.parquet$/, '-00000000-$2.parquet')
  copyFileSync(rollup?.path as string, foreign)
  assert.deepEqual(listStore(path).covered, [foreign])
})

test('of more values than a slot keeps the rest is (other), counted and told; totals stay exact', async () => {
  const path = join(folder, 'wide')
  const clients = 1500
  await fill(path, Array.from({ length: 3000 }, (_, index) => line(index % 40, index % clients)), 1)
  await withDesk(path, async desk => {
    const question = asked({})
    const view = VIEWS.find(({ name }) => name === 'clients') as View
    const { rows, notes } = await answerOf(desk, view, question)
    const [[exchanges]] = (await desk.ask('SELECT count(*) FROM exchanges')).rows as [[bigint]]
    assert.equal(rows.reduce((sum, row) => sum + Number(row[1]), 0), Number(exchanges))
    const other = rows.find(([value]) => value === '(other)')
    assert.ok(Number(other?.[1]) > 0)
    assert.match(notes[0] ?? '', new RegExp(`^${other?.[1]} requests are counted as \\(other\\)`))
    const totals = VIEWS.find(({ name }) => name === 'totals') as View
    const [[row], [exact]] = [(await answerOf(desk, totals, question)).rows, (await desk.ask(totals.sql(question))).rows]
    const [found, different] = [row, exact].map(each => Number(each?.[8])) as [number, number]
    assert.ok(different > 1024 && Math.abs(found - different) < different / 8, `${found} clients instead of ${different}`)
    assertSame(totals, [(row as PlainValue[]).with(8, null)], [(exact as PlainValue[]).with(8, null)], 'totals')
  })
})

test('a client cannot make one route of all by asking for the sign of one', async () => {
  await withDesk(store, async desk => {
    const routes = (await answerOf(desk, VIEWS.find(({ name }) => name === 'routes') as View, asked({}))).rows.map(([route]) => route)
    for (const route of ['/slow', '/', '/{"any"}/q', '/users/{number}']) assert.ok(routes.includes(route), `${route} of ${routes.join(' ')}`)
  })
})

test('the newest records and the names of headers are found from the end', async () => {
  await withDesk(store, async desk => {
    for (const [span, limit] of [[{}, 100], [{}, 5990], [SPANS[2] ?? {}, 40], [{}, 1]] as const) {
      const question = asked(span)
      const { rows } = await newestRecords(desk, question, limit)
      const steps = newestSql(question.where, limit)
      const [first, last] = (await desk.ask(steps.times)).rows[0] ?? []
      assert.deepEqual(rows, (await desk.ask(steps.records(String(first), String(last)))).rows)
      assert.equal(rows.length, limit)
    }
    const names = VIEWS.find(({ name }) => name === 'header-names') as View
    assert.deepEqual((await answerOf(desk, names, asked({}))).rows, (await desk.ask(names.sql(asked({})))).rows)
  })
})
