import assert from 'node:assert/strict'
import type { Kept, Subject } from '../../exporter.suite.ts'
import type { Received, Said } from '../receiver.ts'

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

export function exception(status: number, code: number, text: string): Said {
  return { status, headers: { 'x-clickhouse-exception-code': String(code) }, body: `Code: ${code}. DB::Exception: ${text}\n` }
}

export const CLICKHOUSE: Subject = {
  type: 'clickhouse', more: { host_name: 'gw "1"' }, read,
  accept: () => ({ status: 200 }),
  refuse: (request, bad) => {
    const records = read(request)
    const isBad = records.some(({ number }) => bad.has(number))
    return isBad ? { said: exception(400, 27, 'Cannot parse input: expected \'{\''), kept: [] } : { said: { status: 200 }, kept: records }
  },
}
