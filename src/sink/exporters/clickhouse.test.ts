import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClickHouseExporter, clickHouseKind } from './clickhouse.ts'
import { exporterSuite } from './exporter.suite.ts'
import { type Received, Receiver, type Said } from './testing/receiver.ts'
import { CLICKHOUSE, exception } from './testing/subjects/clickhouse.ts'

exporterSuite(CLICKHOUSE)

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
