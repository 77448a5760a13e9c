import { exporterSuite, type Kept } from './exporter.suite.ts'
import type { Received } from './testing/receiver.ts'

interface Line {
  readonly id: string
  readonly event: { readonly sequence: number }
  readonly http: { readonly request: { readonly header: Record<string, string[]> } }
}

function read({ text, headers }: Received): Kept[] {
  const lines = headers['content-type'] === 'application/json' ? JSON.parse(text) as Line[] : text.trimEnd().split('\n').map(line => JSON.parse(line) as Line)
  return lines.map(({ id, event, http }) => ({ id, number: event.sequence, hostile: http.request.header['x-hostile'] }))
}

for (const format of ['ndjson', 'json'] as const) {
  exporterSuite({
    type: 'webhook', more: { format, compression: format === 'json' ? 'zstd' : 'gzip' },
    read, accept: () => ({ status: 204 }),
    refuse: (request, bad) => {
      const records = read(request)
      const refused = records.some(({ number }) => bad.has(number))
      return refused ? { said: { status: 400, body: 'bad record in it' }, kept: [] } : { said: { status: 200 }, kept: records }
    },
  })
}
