/** A list of records looks at very many exchanges only where the newest are not enough. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { newestRecords } from '../../src/web/desk-answers.ts'
import { type Question, questionOf } from '../../src/web/question.ts'
import { LOOKED_AT } from '../../src/web/view.ts'
import { COLUMNS } from '../store/testing/stored.ts'
import { fill, withDesk } from './testing/filled-store.ts'

const COUNT = LOOKED_AT + 60_000
const EVERY_MS = 20
const START = Date.parse('2026-05-01T00:00:00Z')
const NOTE = /^Only the newest exchanges are listed, those since 2026-05-01T\S+Z: looking at more than 200000 takes long$/
const folder = mkdtempSync(join(tmpdir(), 'lintel-newest-'))

/** 500 for one of 400, 503 for one of 4,000. */
function exchange(index: number): string {
  const status = index % 4000 === 1 ? 503 : index % 400 === 0 ? 500 : 200
  return `{"kind":"exchange","time":"${new Date(START + index * EVERY_MS).toISOString().slice(0, -1)}000000Z","event":{"sequence":${index + 1}},` +
    `"url":{"path":"/a"},"http":{"request":{"method":"GET","header":{"host":["h"]}},"response":{"status_code":${status}}}}`
}

function asked(filter: string): Question {
  return questionOf(new URLSearchParams({ from: String(START), to: String(START + COUNT * EVERY_MS), filter }), COLUMNS)
}

before(async () => {
  await fill(folder, Array.from({ length: COUNT }, (_, index) => exchange(index)), 1)
})

after(() => { rmSync(folder, { recursive: true }) })

test('a list of what a filter lets through ends with the newest exchanges where these are many, and says so', async () => {
  await withDesk(folder, async desk => {
    const { names, rows, notes } = await newestRecords(desk, asked('http.response.status_code == 500'), 1000)
    assert.match(notes.join(), NOTE)
    assert.ok(rows.length >= 500 && rows.length < COUNT / 400, `${rows.length} of ${COUNT / 400}`)
    const since = Date.parse(/since (\S+Z)/.exec(notes.join())?.[1] as string)
    const wanted = Array.from({ length: COUNT / 400 }, (_, place) => place * 400 + 1).filter(sequence => START + (sequence - 1) * EVERY_MS >= since)
    const found = rows.map(row => Number(row[names.indexOf('event_sequence')]))
    assert.deepEqual(found, wanted.reverse())
  })
})

test('all are listed that a filter seldom lets through', async () => {
  await withDesk(folder, async desk => {
    const { rows, notes } = await newestRecords(desk, asked('http.response.status_code == 503'), 1000)
    assert.deepEqual([rows.length, notes], [COUNT / 4000, []])
  })
})
