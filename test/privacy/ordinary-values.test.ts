import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { CORPORA } from './gitleaks-rules.ts'
import { WallProbe } from './wall-probe.ts'

const missing = !existsSync(CORPORA)
if (missing &&
  process.env['CI'] === 'true') throw new Error(`Cannot test ordinary values: "${CORPORA}" is missing`)

/**
 * Values as browsers, servers and proxies send them, none with a secret: `name: value` a line, also of paths
 * and queries.
 */
const ORDINARY = readFileSync(join(import.meta.dirname, 'ordinary-values.txt'),
  'utf8').trimEnd().split('\n').map((line) => {
  const colon = line.indexOf(': ')
  return [line.slice(0, colon), line.slice(colon + 2)] as const
})

function shown(probe: WallProbe, name: string, value: string): string | undefined {
  if (name === 'path') return probe.path(value)
  return name === 'query' ? probe.query(value) : probe.header(name, value)
}

/**
 * Values of the request headers in the tests of the CRS (attacks mostly, so only what is untouched by them).
 */
function crsHeaders(): [string, string][] {
  const found: [string, string][] = []
  for (const file of globSync('**/*.yaml', { cwd: join(CORPORA, 'security/crs/tests') })) {
    for (const document of parseAllDocuments(readFileSync(join(CORPORA, 'security/crs/tests', file),
      'utf8'))) {
      const tests =
        (document.toJS() as { tests?: { stages?: { input?: { headers?: Record<string, unknown> } }[] }[] } |
        null)?.tests ?? []
      for (const stage of tests.flatMap((one) => one.stages ?? [])) {
        for (const [name,
          value] of Object.entries(stage.input?.headers ?? {})) found.push([name.toLowerCase(),
          String(value)])
      }
    }
  }
  return found
}

function userAgents(): string[] {
  const crawlers = JSON.parse(readFileSync(join(CORPORA,
    'user-agents/crawler-user-agents/crawler-user-agents.json'), 'utf8')) as { instances?: string[] }[]
  const browsers = parse(readFileSync(join(CORPORA, 'user-agents/uap-core/test_ua.yaml'),
    'utf8')) as { test_cases: { user_agent_string: string }[] }
  const devices = [...readFileSync(join(CORPORA, 'user-agents/uap-core/test_device.yaml'),
    'utf8').matchAll(/user_agent_string: '(.*)'$/gm)]
  return [...crawlers.flatMap((one) => one.instances ?? []),
    ...browsers.test_cases.map((one) => one.user_agent_string),
    ...devices.map((one) => (one[1] ?? '').replaceAll("''", "'"))]
}

test('ordinary header values, paths and queries stay as they are', () => {
  const probe = new WallProbe()
  const changed: string[] = []
  assert.ok(ORDINARY.length > 100)
  for (const [name, value] of ORDINARY) {
    const output = shown(probe, name, value)
    if (output !== value) changed.push(`${name}: ${value} -> ${output}`)
  }
  for (let index = 0; index < 2000; index++) {
    const id = randomUUID()
    for (const value of [id, id.replaceAll('-', ''), `"${id}"`]) if (probe.header('x-request-id',
      value) !== value) changed.push(value)
  }
  assert.deepEqual(changed, [])
})

test('user agents stay as they are', { skip: missing }, (context) => {
  const probe = new WallProbe()
  const all = userAgents()
  const changed = all.filter((value) => probe.header('user-agent',
    Buffer.from(value)) !== Buffer.from(value).toString('latin1'))
  context.diagnostic(`${changed.length} of ${all.length} user agents changed`)
  assert.ok(all.length > 15_000)
  // By its syntax "mailto://x@y" has user info.
  assert.deepEqual(changed.filter((value) => !value.includes('mailto://')), [])
})

test('headers of the CRS tests stay as they are, except where they hold what looks like a secret',
  { skip: missing }, (context) => {
  const probe = new WallProbe()
  const all = crsHeaders().filter(([name]) => !/cookie|authorization|token|key|session/.test(name))
  const changed = all.filter(([name, value]) => probe.header(name,
    Buffer.from(value)) !== Buffer.from(value).toString('latin1'))
  context.diagnostic(`${changed.length} of ${all.length} header values changed: ` +
    `${changed.map((one) => one.join(': ')).join(' | ')}`)
  assert.ok(changed.length <= all.length / 200)
})
