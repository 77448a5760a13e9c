import type { Context, Hono } from 'hono'
import type { Prices } from '../sink/mod.ts'
import { FilterError, jsonText, type PlainValue, QueryError, recordLine } from '../store/mod.ts'
import { type Audit, fieldsIn } from './audit.ts'
import { csvText } from './csv.ts'
import { addressOf } from './door.ts'
import type { PageEnvironment } from './guard.ts'
import { AskedWronglyError, type Question, questionOf, wholeNumber } from './question.ts'
import { headerName, headerView } from './header-view.ts'
import { answerOf, inTwoSteps, newestRecords } from './desk-answers.ts'
import { momentOf, RecordsSql } from './records-sql.ts'
import { ForbiddenError, requireOpenFilter, requireOperator } from './role.ts'
import { DeskBusyError, type StoreDesk } from './store-desk.ts'
import { valuesView } from './values-view.ts'
import type { View } from './view.ts'
import { aiHeaderView } from './views/ai-calls.ts'

const RECORDS_MAX = 1000
const NEIGHBOURS_MAX = 200
const CSV_ROWS = 10_000
const CSV_TYPE = 'text/csv; charset=utf-8'

type PageContext = Context<PageEnvironment>

/** What can be seen of a store. */
export interface StoreViews {
  readonly views: readonly View[]
  readonly prices: Prices
}

/** What the page asks of a store: views, records, one exchange. All answers are JSON (or CSV), never HTML. */
export function addStoreApi(app: Hono<PageEnvironment>, desk: StoreDesk, audit: Audit, { views: all, prices }: StoreViews): void {
  const lists = new RecordsSql(desk.words, desk.columns)
  const views = new Map(all.map(view => [view.name, view]))

  app.get('/api/view/:name', context => answered(context, audit, async () => {
    const name = context.req.param('name')
    const view = viewOfOne(context, desk, name, prices) ?? views.get(name)
    if (view === undefined) return context.json({ error: `Cannot show "${name.slice(0, 40)}": there is no such view` }, 404)
    const parameters = new URL(context.req.url).searchParams
    const isCsv = parameters.get('format') === 'csv'
    if (isCsv && !parameters.has('limit')) parameters.set('limit', String(CSV_ROWS))
    const question = questionOf(parameters, desk.columns, desk.words)
    requireOpenFilter(context.get('role'), question.filter, desk.columns)
    const of = views.has(name) ? '' : ` ${view.columns[0]?.title}`
    looked(context, audit, `view ${view.name}${of}${isCsv ? ' as CSV' : ''}`, question, desk)
    return await answerView(context, desk, view, question, isCsv)
  }))

  app.get('/api/records', context => answered(context, audit, async () => {
    requireOperator(context.get('role'), 'single records')
    const question = questionOf(new URL(context.req.url).searchParams, desk.columns, desk.words)
    looked(context, audit, 'records', question, desk)
    const limit = Math.min(question.limit, RECORDS_MAX)
    const { rows, notes } = await newestRecords(desk, question, limit, context.req.raw.signal)
    return jsonAnswer(context, `{"records":${linesJson(desk, rows)},"notes":${JSON.stringify(notes)}}`)
  }))

  app.get('/api/exchange', context => answered(context, audit, async () => {
    requireOperator(context.get('role'), 'single records')
    const parameters = new URL(context.req.url).searchParams
    const time = parameters.get('time') ?? ''
    const sequence = wholeNumber(parameters, 'sequence', -1, Number.MAX_SAFE_INTEGER)
    const [found] = (await desk.ask(lists.exchange(time, sequence), momentOf(time), context.req.raw.signal)).rows
    if (found === undefined) {
      return context.json({ error: `Cannot find record ${sequence} of ${time}: it is not in the store, or not any more` }, 404)
    }
    audit.looked(context.get('session'), addressOf(context), `record ${sequence} of ${time}`)
    const row = desk.words.record(desk.columns, found)
    const value = valueOf(desk, row)
    const neighbours = await inTwoSteps(desk, lists.neighbours(value, time, NEIGHBOURS_MAX), context.req.raw.signal)
    const trace = await inTwoSteps(desk, lists.trace(value, time, NEIGHBOURS_MAX), context.req.raw.signal)
    return jsonAnswer(context, `{"record":${recordLine(desk.columns, row)},"neighbours":${linesJson(desk, neighbours.rows)},` +
      `"trace":${linesJson(desk, trace.rows)}}`)
  }))
}

/** A view of one header or one field, which the URL names. */
function viewOfOne(context: PageContext, desk: StoreDesk, name: string, prices: Prices): View | undefined {
  if (name !== 'values' && name !== 'by-header' && name !== 'ai-by-header') return undefined
  requireOperator(context.get('role'), name === 'values' ? 'values of fields' : 'values of headers')
  if (name === 'values') return valuesView(context.req.query('field') ?? '', desk.columns)
  const header = headerName(context.req.query('header') ?? '')
  return name === 'by-header' ? headerView(header) : aiHeaderView(header, prices)
}

async function answerView(context: PageContext, desk: StoreDesk, view: View, question: Question, isCsv: boolean): Promise<Response> {
  const { newest: _, ...whole } = view
  // A file has no notes: it is of all.
  const { rows, notes } = await answerOf(desk, isCsv ? whole : view, question, context.req.raw.signal)
  if (isCsv) {
    context.header('content-type', CSV_TYPE)
    context.header('content-disposition', `attachment; filename="lintel-${view.name}.csv"`)
    return context.body(csvText(view.columns.map(({ title }) => title), rows.map(row => withTimes(view, row))))
  }
  const text = rows.map(row => jsonText(row)).join(',')
  return jsonAnswer(context, `{"rows":[${text}],"bucketMs":${question.bucketMs},"notes":${JSON.stringify(notes)}}`)
}

/** Times as people and spreadsheets read them. */
function withTimes({ columns }: View, row: readonly PlainValue[]): readonly PlainValue[] {
  return row.map((value, index) => columns[index]?.unit !== 'time' || value === null ? value : new Date(Number(value)).toISOString())
}

function looked(context: PageContext, audit: Audit, what: string, { filter }: Question, desk: StoreDesk): void {
  const by = filter === '' ? '' : `, filtered by ${fieldsIn(filter, desk.columns.map(({ field }) => ({ name: field })))}`
  audit.looked(context.get('session'), addressOf(context), `${what}${by}`)
}

function jsonAnswer(context: PageContext, text: string): Response {
  context.header('content-type', 'application/json; charset=utf-8')
  return context.body(text)
}

function linesJson(desk: StoreDesk, rows: readonly (readonly PlainValue[])[]): string {
  return `[${rows.map(row => recordLine(desk.columns, row)).join(',')}]`
}

function valueOf(desk: StoreDesk, row: readonly PlainValue[]): (column: string) => PlainValue {
  return column => row[desk.columns.findIndex(({ name }) => name === column)] ?? null
}

/** What was asked wrongly is told with its mend; what hinders the store as well: these texts name files and columns, no values. */
async function answered(context: PageContext, audit: Audit, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer()
  } catch (error) {
    const { message } = error as Error
    if ([AskedWronglyError, FilterError, QueryError].some(kind => error instanceof kind)) return context.json({ error: message }, 400)
    if (error instanceof ForbiddenError) {
      audit.said(context.get('session'), addressOf(context), `was refused ${context.req.path.slice(0, 80)}`)
      return context.json({ error: message }, 403)
    }
    if (error instanceof DeskBusyError) return context.json({ error: message }, 503)
    if (context.req.raw.signal.aborted) return context.body(null, 499 as 400)
    return context.json({ error: message }, 500)
  }
}
