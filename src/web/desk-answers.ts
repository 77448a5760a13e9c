import { MemoryError, ROWS_MAX } from '../store/mod.ts'
import { narrowedTo, type Question } from './question.ts'
import { LENGTH_MAX, momentOf, RecordsSql, type TwoSteps } from './records-sql.ts'
import type { DeskAnswer, StoreDesk } from './store-desk.ts'
import { LOOKED_AT, type RolledQuestion, type View } from './view.ts'

/** What a view says: out of the roll-ups where it can, else out of the records. */
export async function answerOf(desk: StoreDesk, view: View, question: Question, signal?: AbortSignal): Promise<DeskAnswer> {
  const rolled = rolledOf(view, question)
  return rolled === undefined ? await ofRecords(desk, view, question, signal) : await ofRollups(desk, rolled, question, signal)
}

async function ofRollups(desk: StoreDesk, rolled: RolledQuestion, question: Question, signal: AbortSignal | undefined): Promise<DeskAnswer> {
  const answer = await desk.ask(rolled.sql(), question, signal)
  const restSql = question.words.rest?.(rolled.cube, question, rolled.first)
  const [[rest] = []] = restSql === undefined ? [] : (await desk.ask(restSql, question, signal)).rows
  if (Number(rest ?? 0) === 0) return answer
  const note = `${rest} requests are counted as (other): the ${ROWS_MAX} most frequent of a quarter of an hour are kept`
  return { ...answer, notes: [...answer.notes, note] }
}

async function ofRecords(desk: StoreDesk, view: View, question: Question, signal: AbortSignal | undefined): Promise<DeskAnswer> {
  const newest = await ofNewest(desk, view, question, signal)
  if (newest !== undefined) return newest
  const sql = view.sql(question)
  const frugal = view.sql({ ...question, isReadTwice: true })
  return await desk.ask(sql, question, signal).catch(async (error: unknown) => {
    if (!(error instanceof MemoryError) || sql === frugal) throw error
    return await desk.ask(frugal, question, signal)
  })
}

/** So many exchanges that a filter lets through are enough to count or list only them. */
const ENOUGH = 200

/** Out of the end of the question's time, for a view to which that is enough; undefined when it has to look at all. */
async function ofNewest(desk: StoreDesk, view: View, question: Question, signal: AbortSignal | undefined): Promise<DeskAnswer | undefined> {
  if (view.newest === undefined) return undefined
  const count = question.filter === '' ? view.newest : LOOKED_AT
  const end = await newestOf(desk, question, count, signal)
  if (end === undefined) return undefined
  const answer = await desk.ask(view.sql(end), end, signal)
  // Most of what a filter seldom lets through is earlier.
  if (question.filter !== '' && answer.rows.reduce((sum, row) => sum + Number(row[1]), 0) < ENOUGH) return undefined
  return { ...answer, notes: [...answer.notes, onlySince('counted', end.fromMs, count)] }
}

function onlySince(how: 'counted' | 'listed', fromMs: number, count: number): string {
  return `Only the newest exchanges are ${how}, those since ${new Date(fromMs).toISOString()}: looking at more than ${count} takes long`
}

/** The question as roll-ups of its engine answer it; undefined where only the records do. */
export function rolledOf(view: View, question: Question): RolledQuestion | undefined {
  const rolled = question.filter === '' ? view.rolled?.(question) : undefined
  return rolled !== undefined && question.words.cubes.has(rolled.cube) ? rolled : undefined
}

/** Exchanges, the newest, among which those that pass a filter are looked for before all are. */
const LOOKED_AT_FIRST = [LOOKED_AT, 8 * LOOKED_AT]

/** The newest records of a question: those of the end of its time first, which often is enough. */
export async function newestRecords(desk: StoreDesk, question: Question, limit: number, signal?: AbortSignal): Promise<DeskAnswer> {
  const lists = new RecordsSql(desk.words, desk.columns)
  for (const count of question.filter === '' ? [limit] : LOOKED_AT_FIRST) {
    const end = await newestOf(desk, question, count, signal)
    if (end === undefined) break
    const steps = lists.newest(end, limit)
    const found = await foundBy(desk, steps, signal)
    const isWhole = found.count === limit || found.left > 0
    if (!isWhole && found.count < ENOUGH) continue
    const answer = await recordsOf(desk, steps, found, signal)
    return isWhole ? answer : { ...answer, notes: [...answer.notes, onlySince('listed', end.fromMs, count)] }
  }
  return await inTwoSteps(desk, lists.newest(question, limit), signal)
}

/** The end of a question's time with at least so many exchanges; undefined when there are not as many, or no roll-ups to say so. */
async function newestOf(desk: StoreDesk, question: Question, count: number, signal: AbortSignal | undefined): Promise<Question | undefined> {
  const { rows } = await desk.ask(`SELECT max(slot) FROM (SELECT slot, sum(sum(n)) OVER (ORDER BY slot DESC) AS newer
    FROM (${question.words.rolled('minute', question)}) GROUP BY slot) WHERE newer >= ${count}`, question, signal)
  const fromMs = Number(rows[0]?.[0] ?? 0)
  return fromMs > question.fromMs ? narrowedTo(question, fromMs) : undefined
}

/** Which records a list has. */
interface Found {
  readonly first: string
  readonly last: string
  readonly count: number
  /** How many of them are left out, so that the list has no more bytes than its bound. */
  readonly left: number
  readonly notes: readonly string[]
}

/** A list of records; none where nothing is asked. */
export async function inTwoSteps(desk: StoreDesk, steps: TwoSteps | undefined, signal?: AbortSignal): Promise<DeskAnswer> {
  if (steps === undefined) return { names: [], rows: [], notes: [] }
  return await recordsOf(desk, steps, await foundBy(desk, steps, signal), signal)
}

async function foundBy(desk: StoreDesk, steps: TwoSteps, signal: AbortSignal | undefined): Promise<Found> {
  const { rows, notes } = await desk.ask(steps.times, steps.span, signal)
  const [first, last, left, count] = rows[0] ?? []
  return { first: String(first), last: String(last), left: Number(left), count: Number(count), notes }
}

async function recordsOf(
  desk: StoreDesk, steps: TwoSteps, { first, last, left, count, notes: before }: Found, signal: AbortSignal | undefined,
): Promise<DeskAnswer> {
  if (count === 0) return { names: [], rows: [], notes: before }
  const between = { fromMs: momentOf(first).fromMs, toMs: momentOf(last).toMs }
  const { names, rows: found, notes } = await desk.ask(steps.records(first, last), between, signal)
  const rows = found.map(row => desk.words.record(desk.columns, row))
  if (left === 0) return { names, rows, notes }
  const cut = `${left} more are left out: those shown have ${LENGTH_MAX / 1024 / 1024} MiB together; narrow the range or the filter`
  return { names, rows, notes: [...notes, cut] }
}
