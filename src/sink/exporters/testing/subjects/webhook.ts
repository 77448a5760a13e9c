import type { Kept, Subject } from '../../exporter.suite.ts'
import { assertInSchema, type Json } from '../ocsf-checker.ts'
import type { Received } from '../receiver.ts'

interface Line {
  readonly id: string
  readonly event: { readonly sequence: number }
  readonly http: { readonly request: { readonly header: Record<string, string[]> } }
}

function read({ text, headers }: Received): Kept[] {
  const lines = headers['content-type'] === 'application/json' ? JSON.parse(text) as Line[] : text.trimEnd().split('\n').map(line => JSON.parse(line) as Line)
  return lines.map(({ id, event, http }) => ({ id, number: event.sequence, hostile: http.request.header['x-hostile'] }))
}

interface Event {
  readonly metadata: { readonly uid: string, readonly sequence: number }
  readonly http_request: { readonly http_headers: readonly { readonly name: string, readonly value: string }[] }
}

function readOcsf({ text, headers }: Received): Kept[] {
  const events = headers['content-type'] === 'application/json' ? JSON.parse(text) as Event[] : text.trimEnd().split('\n').map(line => JSON.parse(line) as Event)
  return events.map(event => {
    assertInSchema(event as unknown as Json)
    const hostile = event.http_request.http_headers.filter(({ name }) => name === 'x-hostile').map(({ value }) => value)
    return { id: event.metadata.uid, number: event.metadata.sequence, hostile: hostile.length === 0 ? undefined : hostile }
  })
}

function subject(format: string, body: string, read: Subject['read']): Subject {
  return {
    type: 'webhook', more: { format, body, compression: format === 'json' ? 'zstd' : 'gzip' }, read, accept: () => ({ status: 204 }),
    refuse: (request, bad) => {
      const records = read(request)
      const refused = records.some(({ number }) => bad.has(number))
      return refused ? { said: { status: 400, body: 'bad record in it' }, kept: [] } : { said: { status: 200 }, kept: records }
    },
  }
}

export const WEBHOOK = subject('ndjson', 'record', read)
export const WEBHOOKS = [WEBHOOK, subject('json', 'record', read), subject('ndjson', 'ocsf', readOcsf), subject('json', 'ocsf', readOcsf)]
