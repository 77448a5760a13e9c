/** What is wrong in an entry of `outputs` is told with its place and the mend before anything starts, and without secrets: for every type that there is. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'
import { stringify } from 'yaml'
import { configSchema } from '../../src/config.ts'
import { ConfigError, type ConfigProblem, pathText } from '../../src/config/config-error.ts'
import { parseConfig } from '../../src/config/read-config.ts'
import { secretSchema, tlsSchema } from '../../src/sink/http/mod.ts'
import { SINK_KINDS } from '../../src/sink/registry.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-config-errors-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const SECRET = 'open-sesame-42'
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const SECRETS = { goodFile: file('secret', `${SECRET}\n`), twoLines: file('two', `${SECRET}\n${SECRET}\n`), empty: file('empty', '\n'), noPem: file('pem', SECRET) }
process.env['LINTEL_TEST_TWO_LINES'] = `${SECRET}\n${SECRET}`

type Type = (typeof SINK_KINDS)[number]['type']
type Entry = Readonly<Record<string, unknown>>
const spool = { path: join(folder, 'spool') }
const http = { url: 'https://logs.example/in', spool }
const stream = { url: 'tls://logs.example:1', spool }
const [HTTP, STREAM]: readonly Entry[][] = [
  ['logs.example', 'ftp://logs.example', `https://u:${SECRET}@logs.example`, 'https://logs.example/#x', 7].map(url => ({ url })),
  ['logs.example', 'https://logs.example', 'tls://logs.example', `tls://u:${SECRET}@logs.example:1`, 'tls://logs.example:0', 7].map(url => ({ url })),
] as [Entry[], Entry[]]

/** Of each type an entry that is right, and keys that say wrongly where it writes to. A type that is not here does not compile. */
const TYPES: Readonly<Record<Type, { readonly right: Entry, readonly wrong: readonly Entry[] }>> = {
  file: { right: { path: '/f' }, wrong: [{ path: '' }, { path: 7 }] },
  stdout: { right: {}, wrong: [] },
  pretty: { right: {}, wrong: [] },
  store: { right: { path: '/s' }, wrong: [{ path: '' }, { path: 7 }] },
  webhook: { right: http, wrong: HTTP as Entry[] },
  clickhouse: { right: http, wrong: HTTP as Entry[] },
  elasticsearch: { right: http, wrong: HTTP as Entry[] },
  fluent: { right: stream, wrong: STREAM as Entry[] },
  influxdb: { right: { ...http, api: 'v1', database: 'd' }, wrong: HTTP as Entry[] },
  kafka: {
    right: { brokers: ['k:9092'], topic: 't', spool },
    wrong: [['k'], ['kafka://k:9092'], ['k:0'], ['k:99999'], [`u:${SECRET}@k:1`], [], 'k:9092'].map(brokers => ({ brokers })),
  },
  logstash: { right: stream, wrong: STREAM as Entry[] },
  loki: { right: http, wrong: HTTP as Entry[] },
  otlp: { right: http, wrong: HTTP as Entry[] },
  prometheus_remote_write: { right: { url: http.url }, wrong: HTTP as Entry[] },
  splunk_hec: { right: { ...http, token: { file: SECRETS.goodFile } }, wrong: HTTP as Entry[] },
  victorialogs: { right: http, wrong: HTTP as Entry[] },
  syslog: { right: stream, wrong: STREAM as Entry[] },
  module: {
    right: { path: fileURLToPath(new URL('../../examples/own-exporter/exporter.ts', import.meta.url)), options: { source: 's', http: { url: http.url } }, spool },
    wrong: [{ path: '' }, { path: join(folder, 'none.ts') }, { path: 7 }],
  },
}

/** What a config file with this one output is told; nothing = it is right. */
function problems(entry: Entry): readonly ConfigProblem[] {
  try {
    parseConfig(Buffer.from(stringify({ outputs: [entry] })), 'c.yaml', configSchema)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.ok(!error.message.includes(SECRET), error.message)
    return error.problems
  }
}

/** @param path below `outputs[0]` */
function assertTold(entry: Entry, path: readonly string[], message: RegExp): void {
  const place = pathText(['outputs', 0, ...path])
  const all = problems(entry)
  const there = all.filter(problem => problem.path === place || problem.path.startsWith(`${place}[`))
  assert.ok(there.some(problem => message.test(problem.message) && problem.line > 0 && problem.column > 0),
    `${place}, ${JSON.stringify(entry)}: ${all.map(problem => `${problem.path}: ${problem.message}`).join('\n')}`)
}

/** Where in a schema this other one stands; the name of an entry of a record is `x`. */
function places(schema: z.core.$ZodType, wanted: z.core.$ZodType, path: readonly string[] = []): string[][] {
  const def = schema._zod.def as unknown as Readonly<Record<'innerType' | 'in' | 'element' | 'valueType', z.core.$ZodType | undefined>>
    & { readonly shape?: Readonly<Record<string, z.core.$ZodType>>, readonly options?: readonly z.core.$ZodType[] }
  if (schema._zod.def === wanted._zod.def) return [[...path]]
  return [
    ...[def.innerType, def.in, ...def.options ?? []].flatMap(inner => inner === undefined ? [] : places(inner, wanted, path)),
    ...def.valueType === undefined ? [] : places(def.valueType, wanted, [...path, 'x']),
    ...Object.entries(def.shape ?? {}).flatMap(([key, inner]) => places(inner, wanted, [...path, key])),
  ]
}

function withValue(entry: Entry, [key, ...below]: readonly string[], value: unknown): Entry {
  const name = key as string
  return { ...entry, [name]: below.length === 0 ? value : withValue((entry[name] ?? {}) as Entry, below, value) }
}

const WRONG_SECRETS: readonly (readonly [value: unknown, message: RegExp])[] = [
  [SECRET, /\{env: NAME\} or \{file: PATH\}/], [{ env: 'LINTEL_TEST_NOT_SET' }, /LINTEL_TEST_NOT_SET, which is not set: set it/],
  [{ env: 'LINTEL_TEST_TWO_LINES' }, /LINTEL_TEST_TWO_LINES, whose value has a line break/], [{ file: '/none/secret' }, /"\/none\/secret", which cannot be read: there is no such file/],
  [{ file: SECRETS.empty }, /is empty: write the secret into it/], [{ file: SECRETS.twoLines }, /has a line break/], [{ value: SECRET }, /\{env: NAME\} or \{file: PATH\}/],
]

for (const { type, schema } of SINK_KINDS) {
  const { right, wrong } = TYPES[type]
  const entry: Entry = { type, ...right }
  const [secrets, certificates] = [places(schema, secretSchema), places(schema, tlsSchema)]

  test(`${type}: a config that is right is taken, and opens nothing`, () => {
    assert.deepEqual(problems(entry), [])
    assert.ok(!existsSync(spool.path))
  })

  test(`${type}: unknown keys and wrong addresses are told with their place and the mend`, () => {
    assertTold({ ...entry, colour: SECRET }, ['colour'], /^there is no such key; there are .*type/)
    if ('spool' in right) assertTold({ ...entry, spool: { ...spool, colour: 1 } }, ['spool', 'colour'], /^there is no such key; there are path, max_bytes/)
    for (const keys of wrong) assertTold({ ...entry, ...keys }, [Object.keys(keys)[0] as string], /must |no such file/)
  })

  test(`${type}: ${secrets.length} secrets that cannot be had are told with their place and the mend, and never shown`, () => {
    for (const path of secrets) {
      // Most headers are no secrets: theirs may be text.
      for (const [value, message] of WRONG_SECRETS) if (path[0] !== 'headers' || value !== SECRET) assertTold(withValue(entry, path, value), path, message)
    }
  })

  test(`${type}: certificates that cannot be read are told with their place and the mend`, () => {
    for (const path of certificates) {
      assertTold(withValue(entry, path, { ca: '/none.pem' }), [...path, 'ca'], /"\/none.pem", which cannot be read: there is no such file/)
      assertTold(withValue(entry, path, { ca: SECRETS.noPem }), [...path, 'ca'], /is no certificate in PEM: give one/)
      assertTold(withValue(entry, path, { cert: SECRETS.noPem }), [...path, 'cert'], /must come with the other/)
      assertTold(withValue(entry, path, { cert: SECRETS.noPem, key: SECRETS.noPem }), [...path, 'cert'], /is no certificate in PEM/)
    }
  })
}

test('what asks for a network knows certificates, and what takes credentials takes them as secrets', () => {
  const local = new Set<string>(['file', 'stdout', 'pretty', 'store', 'module'])
  for (const { type, schema } of SINK_KINDS) {
    assert.equal(places(schema, tlsSchema).length > 0, !local.has(type), type)
    const names = ['token', 'password', 'shared_key', 'api_key', 'bearer', 'key_passphrase']
    const found = new Set(places(schema, secretSchema).map(path => path.at(-1)))
    for (const name of names) assert.equal(JSON.stringify(keysOf(schema)).includes(`"${name}"`), found.has(name), `${type}: ${name}`)
  }
})

/** Names of all keys of a schema, at any depth. */
function keysOf(schema: z.core.$ZodType): string[] {
  const def = schema._zod.def as unknown as { innerType?: z.core.$ZodType, in?: z.core.$ZodType, options?: z.core.$ZodType[], shape?: Record<string, z.core.$ZodType> }
  return [
    ...[def.innerType, def.in, ...def.options ?? []].flatMap(inner => inner === undefined ? [] : keysOf(inner)),
    ...Object.entries(def.shape ?? {}).flatMap(([key, inner]) => [key, ...keysOf(inner)]),
  ]
}
