/** Exporters of the user's own: the example holds to all that every exporter must; and one that is broken harms nobody. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { configSchema } from '../../src/config.ts'
import { ConfigError } from '../../src/config/config-error.ts'
import { parseConfig } from '../../src/config/read-config.ts'
import { assertAddsUp, delivery, exchanges, exporterSuite, type Kept, openOutput, until } from '../../src/sink/exporters/exporter.suite.ts'
import type { Received } from '../../src/sink/exporters/testing/receiver.ts'
import { RecordingHost } from '../../src/sink/sink.suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-own-exporter-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const EXAMPLE = fileURLToPath(new URL('../../examples/own-exporter/exporter.ts', import.meta.url))
let number = 0

interface Event {
  readonly id: string
  readonly record: { readonly event: { readonly sequence: number }, readonly http: { readonly request: { readonly header: Record<string, string[]> } } }
}

function read({ text }: Received): Kept[] {
  const { source, events } = JSON.parse(text) as { source: string, events: Event[] }
  assert.equal(source, 'gw-1')
  return events.map(({ id, record }) => ({ id, number: record.event.sequence, hostile: record.http.request.header['x-hostile'] }))
}

const said = (rejected: readonly unknown[]): { status: number, body: string } => ({ status: 200, body: JSON.stringify({ rejected }) })

exporterSuite({
  type: 'module', more: {}, read, accept: () => said([]),
  place({ url, headers, tls, timeout, ...rest }) {
    return { ...rest, path: EXAMPLE, options: { source: 'gw-1', http: { url, headers: headers ?? {}, tls: tls ?? {}, ...(timeout === undefined ? {} : { timeout }) } } }
  },
  refuse: (request, bad) => {
    const records = read(request)
    const rejected = records.flatMap((record, index) => bad.has(record.number) ? [{ index, reason: 'bad record' }] : [])
    return { said: said(rejected), kept: records.filter(record => !bad.has(record.number)) }
  },
})

/** The file of an exporter whose `send` has this body. */
function exporterFile(send: string, rest = ''): string {
  const path = join(folder, `exporter-${number++}.ts`)
  writeFileSync(path, `let turn = 0
export default {
  name: 'mine',
  open(options: { token: unknown } | undefined, tools: { secret(source: unknown): string }) {
    const token = options === undefined ? '' : tools.secret(options.token)
    ${rest}
    return { target: 'my-server', async send(records: { id: string, line: Buffer }[], signal: AbortSignal) { ${send} }, close() {} }
  },
}
`)
  return path
}

function options(path: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { type: 'module', path, spool: { path: join(folder, `spool-${number++}`) }, batch: { records: 10, age: '5ms' }, retry: { max_wait: '20ms' }, ...more }
}

test('an exporter that throws, hangs, or answers nonsense gets the batch again, and is told; its secret is not', async () => {
  process.env['LINTEL_TEST_TOKEN'] = 'open-sesame-42'
  const path = exporterFile(`switch (turn++) {
    case 0: throw new Error(\`no good: \${token}\\u001b[31m\`)
    case 1: return await new Promise(() => {})
    case 2: return undefined
    case 3: return { outcome: 'done', refused: [{ index: 10, reason: 'x' }] }
    case 4: return { outcome: 'later', hindrance: { reason: 'busy', message: \`busy with \${token}\`, afterMs: 1 } }
    default: return { outcome: 'done' }
  }`)
  const host = new RecordingHost()
  const sink = openOutput(options(path, { timeout: '150ms', options: { token: { env: 'LINTEL_TEST_TOKEN' } } }), host)
  assert.equal(sink.name, 'module:mine')
  sink.write(exchanges(0, 10))
  await until('all sent', () => delivery(sink).sent === 10, host)
  await sink.close()
  assertAddsUp(sink)
  assert.equal(delivery(sink).retried, 50)
  const told = host.logs.join('\n')
  assert.match(told, /error: Cannot send to my-server: no good: \[hidden\] \[31m; trying again/)
  assert.match(told, /works again/)
  assert.doesNotMatch(told, /sesame|\u001b/)
})

for (const [answer, why] of [
  ['1', /"outcome" must be/], [`{ outcome: 'later' }`, /must have a reason and a message/], [`{ outcome: 'apart' }`, /without a reason/],
  [`{ outcome: 'done', refused: [{ index: 1.5, reason: 'x' }] }`, /not of the batch/], [`{ outcome: 'done', refused: [null] }`, /not of the batch/],
  [`{ outcome: 'done', refused: [{ index: 0, reason: 'x' }], again: { indexes: [0], hindrance: { reason: 'a', message: 'b' } } }`, /stands there twice/],
  [`{ outcome: 'done', refused: [{ index: 0 }] }`, /refusal without a reason/], [`{ outcome: 'done', again: { indexes: [0] } }`, /must have a reason/],
] as const) {
  test(`an answer that is none counts as not taken: ${answer}`, async () => {
    const host = new RecordingHost()
    const sink = openOutput(options(exporterFile(`return turn++ === 0 ? ${answer} : { outcome: 'done' }`)), host)
    sink.write(exchanges(0, 10))
    await until('all sent', () => delivery(sink).sent === 10, host)
    await sink.close()
    assert.match(host.logs[0] as string, /Cannot send to my-server: its answer is none/)
    assert.match(host.logs[0] as string, why)
  })
}

test('a stop does not wait for an exporter that does not end', async () => {
  const host = new RecordingHost()
  const sink = openOutput(options(exporterFile('return await new Promise(() => {})'), { drain: '50ms' }), host)
  sink.write(exchanges(0, 10))
  await sink.flush()
  await sink.close()
  assertAddsUp(sink)
  assert.equal(delivery(sink).waitingRecords, 10)
})

test('a file that cannot be used ends the check with its place and the mend', () => {
  const file = (text: string): string => {
    const path = join(folder, `odd-${number++}.ts`)
    writeFileSync(path, text)
    return path
  }
  const cases: readonly (readonly [path: string, options: string, why: RegExp])[] = [
    [join(folder, 'none.ts'), '', /outputs\[0\]\.path: .*Cannot use the exporter ".*none.ts": there is no such file/],
    [file('export const x = 1\n'), '', /its default export must be an object/],
    [file('export default { name: "A b", open() {} }\n'), '', /"name" must be/],
    [file('export default { name: "a" }\n'), '', /"open" must be a function/],
    [file('export default {\n'), '', /it cannot be loaded/],
    [file('await 1\nexport default { name: "a", open() {} }\n'), '', /it waits at its top level/],
    [file('export default { name: "a", open() { return {} } }\n'), '', /"target" of what "open" gives/],
    [EXAMPLE, '{}', /outputs\[0\]\.options: Cannot open the exporter ".*": source must be a text/],
    [EXAMPLE, '{source: a, http: {url: "ftp://x"}}', /url: must begin with http/],
    [EXAMPLE, '{source: a, http: {url: "http://x", colour: red}}', /Unrecognized key: "colour"|there is no such key/],
    [EXAMPLE, '{source: a, http: {url: "http://x", auth: {bearer: {env: LINTEL_NOT_SET}}}}', /LINTEL_NOT_SET, which is not set/],
  ]
  for (const [path, own, why] of cases) {
    const text = `outputs:\n  - {type: module, path: "${path}", ${own === '' ? '' : `options: ${own}, `}spool: {path: ${folder}/s}}\n`
    assert.throws(() => parseConfig(Buffer.from(text), 'lintel.yaml', configSchema), (error: unknown) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, why)
      return true
    })
  }
})

test('two outputs of one exporter stand beside each other when each has a name and a spool', () => {
  const path = exporterFile(`return { outcome: 'done' }`)
  const entry = (name: string, spool: string): string => `  - {type: module, path: ${path}, ${name}spool: {path: ${folder}/${spool}}}\n`
  const parse = (text: string): unknown => parseConfig(Buffer.from(`outputs:\n${text}`), 'lintel.yaml', configSchema)
  parse(entry('', 'a') + entry('name: other, ', 'b'))
  assert.throws(() => parse(entry('', 'a') + entry('', 'b')), /must have a name of its own/)
  assert.throws(() => parse(entry('', 'a') + entry('name: other, ', 'a')), /must not write to .* as outputs\[0\] does/)
})
