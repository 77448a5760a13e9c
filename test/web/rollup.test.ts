/** What views say out of roll-ups is what they say out of the records: counts the same, durations within the error that is told. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { listStore } from '../../src/sink/store/mod.ts'
import type { PlainValue } from '../../src/store/mod.ts'
import { answerOf, newestRecords } from '../../src/web/desk-answers.ts'
import { headerView } from '../../src/web/header-view.ts'
import { RecordsSql } from '../../src/web/records-sql.ts'
import { type Question, questionOf } from '../../src/web/question.ts'
import type { View } from '../../src/web/view.ts'
import { VIEWS } from '../../src/web/views/registry.ts'
import { COLUMNS } from '../store/testing/stored.ts'
import { fill, withDesk } from './testing/filled-store.ts'
import { assertSameRows } from './testing/same-rows.ts'
import { EVERY_MS, oddExchange, START } from './testing/odd-exchanges.ts'

const HOUR_MS = 3_600_000
const COUNT = 6000
const SPAN_MS = COUNT * EVERY_MS
const SPANS = [
  {}, { from: START, to: START + SPAN_MS }, { from: START + HOUR_MS + 1234, to: START + 3 * HOUR_MS + 77 }, { from: START, to: START + 600_000 },
  { from: START + SPAN_MS + 1 }, { from: Math.ceil(START / HOUR_MS) * HOUR_MS, to: Math.ceil(START / HOUR_MS) * HOUR_MS + 2 * HOUR_MS },
]
const folder = mkdtempSync(join(tmpdir(), 'lintel-rollup-'))
const store = join(folder, 'store')

function asked(span: Readonly<Record<string, number>>): Question {
  return questionOf(new URLSearchParams([['limit', '10000'], ...Object.entries(span).map(([name, ms]) => [name, String(ms)] as [string, string])]), COLUMNS)
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
        assertSameRows(view, (await desk.ask(rolled.sql())).rows, (await desk.ask(view.sql(question))).rows, `${view.name} ${JSON.stringify(span)}`)
      }
    }
    assert.ok(count >= 90, String(count))
  })
}

before(async () => {
  const lines = Array.from({ length: COUNT }, (_, index) => oddExchange(index))
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
  await fill(merged, Array.from({ length: COUNT }, (_, index) => oddExchange(index)), 8)
  const { segments, rollups } = listStore(merged)
  assert.equal(segments.length, 1)
  assert.equal(rollups.size, 1)
  await assertViews(merged)
})

test('a roll-up that is damaged or missing is not used: the records are read, and the damage is told', async () => {
  const path = join(folder, 'damaged')
  await fill(path, Array.from({ length: 900 }, (_, index) => oddExchange(index)), 3)
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
    assertSameRows(totals, rows, (await desk.ask(totals.sql(question))).rows, 'totals')
    assert.equal(notes.length, 2)
    for (const note of notes) assert.match(note, /rollup-v3-.* is not used: .*; the records are read instead/)
  })
  // The next that writes makes them anew.
  await fill(path, [oddExchange(900)], 1)
  await withDesk(path, async desk => {
    assert.deepEqual((await answerOf(desk, totals, asked({}))).notes, [])
  })
})

test('a roll-up of other bytes than its segment\'s is none of it', async () => {
  const path = join(folder, 'foreign')
  await fill(path, Array.from({ length: 300 }, (_, index) => oddExchange(index)), 1)
  const [rollup] = listStore(path).rollups.values()
  const foreign = (rollup?.path as string).replace(/-([0-9a-f]{8})-([0-9a-f]{8})\.parquet$/, '-00000000-$2.parquet')
  copyFileSync(rollup?.path as string, foreign)
  assert.deepEqual(listStore(path).covered, [foreign])
})

test('of more values than a slot keeps the rest is (other), counted and told; totals stay exact', async () => {
  const path = join(folder, 'wide')
  const clients = 1500
  await fill(path, Array.from({ length: 3000 }, (_, index) => oddExchange(index % 40, index % clients)), 1)
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
    assertSameRows(totals, [(row as PlainValue[]).with(8, null)], [(exact as PlainValue[]).with(8, null)], 'totals')
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
      const steps = new RecordsSql(desk.words, COLUMNS).newest(question, limit)
      const [first, last] = (await desk.ask(steps.times)).rows[0] ?? []
      assert.deepEqual(rows, (await desk.ask(steps.records(String(first), String(last)))).rows)
      assert.equal(rows.length, limit)
    }
    const names = VIEWS.find(({ name }) => name === 'header-names') as View
    assert.deepEqual((await answerOf(desk, names, asked({}))).rows, (await desk.ask(names.sql(asked({})))).rows)
  })
})

test('a header without a column is counted in the newest exchanges alone, which is told; in all of them where there are few', async () => {
  await withDesk(store, async desk => {
    const view = headerView('x-other')
    assert.ok(headerView('cookie').newest === undefined && view.newest !== undefined)
    const question = asked({})
    const all = await answerOf(desk, view, question)
    assert.deepEqual([all.notes, all.rows.map(([, n]) => n)], [[], [BigInt(COUNT - COUNT / 50)]])
    const some = await answerOf(desk, { ...view, newest: 50 }, question)
    const [[value, n] = []] = some.rows
    const since = /since (\S+): /.exec(some.notes[0] ?? '')?.[1] ?? ''
    const [[wanted] = []] = (await desk.ask(`SELECT count(*) FROM exchanges WHERE "time" >= TIMESTAMP_NS '${since.replace('T', ' ').replace('Z', '')}'`)).rows
    assert.deepEqual([value, n], [null, wanted])
    assert.ok(Number(n) >= 50 && Number(n) < 50 + 60_000 / EVERY_MS, String(n))
  })
})

test('a question that needs more memory than there is is asked anew in the way that needs less', async () => {
  await withDesk(store, async desk => {
    const view: View = {
      name: 'much', title: 'Much', columns: [],
      sql: ({ isReadTwice = false }) => isReadTwice ? "SELECT 'little'" : 'SELECT len(list(a.range)) FROM range(400000000) AS a',
    }
    assert.deepEqual((await answerOf(desk, view, asked({}))).rows, [['little']])
    await assert.rejects(answerOf(desk, { ...view, sql: () => view.sql(asked({})) }, asked({})), /Out of Memory[^]*Ask for less/)
    assert.deepEqual((await desk.ask('SELECT 1')).rows, [[1]])
  })
})
