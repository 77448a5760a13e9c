import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClickHouseExporter, clickHouseKind } from './clickhouse.ts'
import { exporterSuite, type Kept } from './exporter.suite.ts'
import { type Received, Receiver, type Said } from './testing/receiver.ts'

interface Row {
  readonly id: string
  readonly host: { readonly name: string }
  readonly event: { readonly sequence: number }
  readonly http: { readonly request: { readonly header: { readonly 'x-hostile'?: readonly string[] } } }
}

const STATEMENT = /^INSERT INTO `lintel`\.incoming SETTINGS (.+) FORMAT JSONEachRow$/

function read({ path, query, text }: Received): Kept[] {
  assert.equal(path, '/')
  const settings = STATEMENT.exec(query.get('query') as string)?.[1] as string
  const rows = text.trimEnd().split('\n').map(line => JSON.parse(line) as Row)
  assert.match(settings, new RegExp(`async_insert=0, .*insert_deduplication_token='${rows[0]?.id}/${rows.at(-1)?.id}'`))
  assert.ok(rows.every(({ host }) => host.name === 'gw "1"'))
  return rows.map(({ id, event, http }) => ({ id, number: event.sequence, hostile: http.request.header['x-hostile'] }))
}

function exception(status: number, code: number, text: string): Said {
  return { status, headers: { 'x-clickhouse-exception-code': String(code) }, body: `Code: ${code}. DB::Exception: ${text}\n` }
}

exporterSuite({
  type: 'clickhouse', more: { host_name: 'gw "1"' }, read,
  accept: () => ({ status: 200 }),
  refuse: (request, bad) => {
    const records = read(request)
    const isBad = records.some(({ number }) => bad.has(number))
    return isBad ? { said: exception(400, 27, 'Cannot parse input: expected \'{\''), kept: [] } : { said: { status: 200 }, kept: records }
  },
})

async function sendTo(said: Said, more: object = {}): Promise<{ answer: Awaited<ReturnType<ClickHouseExporter['send']>>, request: Received | undefined }> {
  const receiver = await Receiver.start(() => said)
  const exporter = new ClickHouseExporter(clickHouseKind.schema.parse({ type: 'clickhouse', url: receiver.url, spool: { path: '/unused' }, ...more }))
  try {
    const answer = await exporter.send([{ id: '00-1', line: Buffer.from('{"kind":"exchange"}') }], new AbortController().signal)
    return { answer, request: receiver.requests[0] }
  } finally {
    exporter.close()
    await receiver.kill()
  }
}

const TROUBLES: readonly [Said, RegExp][] = [
  [exception(404, 60, 'Table lintel.incoming does not exist'), /there are no tables for records in database "lintel": make them with lintel clickhouse schema/],
  [exception(400, 117, 'Unknown field found while parsing JSONEachRow format: foo'), /its tables are of an earlier version/],
  [exception(500, 10, 'Tuple doesn\'t have element with name \'foo\''), /its tables are of an earlier version/],
  [exception(403, 516, 'writer: Authentication failed'), /the credentials are not taken: look at auth/],
  [exception(500, 252, 'Too many parts'), /raise batch.age and batch.records/],
  [exception(500, 349, 'Cannot convert NULL'), /without kind or time cannot be kept/],
  [exception(500, 469, 'Constraint `updating` for table lintel.incoming is violated'), /its tables are being made/],
  [exception(400, 62, 'Syntax error'), /answers 400 \(Code: 62\. DB::Exception: Syntax error\)/],
]

for (const [said, message] of TROUBLES) {
  test(`clickhouse: "${String(said.body).trim()}" is the server's trouble: records wait, and the mend is told`, async () => {
    const { answer } = await sendTo(said)
    assert.equal(answer.outcome, 'later')
    assert.match(answer.outcome === 'later' ? answer.hindrance.message : '', message)
  })
}

test('clickhouse: a record that the server cannot read is looked for', async () => {
  assert.equal((await sendTo(exception(400, 41, 'Cannot read DateTime'))).answer.outcome, 'apart')
  assert.equal((await sendTo(exception(400, 117, 'Duplicate field found while parsing JSONEachRow format: kind'))).answer.outcome, 'apart')
})

test('clickhouse: with async the server gathers, and says so when all is written', async () => {
  const { request } = await sendTo({ status: 200 }, { async: true, database: 'logs' })
  const statement = request?.query.get('query') ?? ''
  assert.match(statement, /^INSERT INTO `logs`\.incoming SETTINGS .*async_insert=1, wait_for_async_insert=1 FORMAT JSONEachRow$/)
  assert.doesNotMatch(statement, /token/)
})

test('clickhouse: a name that is no database is refused', () => {
  const check = (database: string): boolean => clickHouseKind.schema.safeParse({ type: 'clickhouse', url: 'http://a', spool: { path: '/s' }, database }).success
  assert.deepEqual(['lintel', 'a`b', 'a.b', '1a', ''].map(check), [true, false, false, false, false])
})
