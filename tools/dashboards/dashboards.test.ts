/** The files of deploy/ as they are: what they ask is well formed, and asks for names that Lintel writes. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parser } from '@grafana/lezer-logql'
import { FIELDS } from '../../src/exchange/fields.ts'
import { ENDS, ecsDocument } from '../../src/sink/exporters/ecs.ts'
import { underscored } from './field-names.ts'
import { panelsOf, variablesOf } from './testing/deployed.ts'
import type { SavedObject } from './kibana.ts'

const KNOWN_COLUMNS = new Set(FIELDS.map(({ name }) => name.replaceAll('.', '_')))

interface Lens {
  readonly datasourceStates: { readonly formBased: { readonly layers: Record<string, {
    readonly columns: Record<string, { readonly sourceField: string, readonly operationType: string }>, readonly columnOrder: readonly string[]
  }> } }
  readonly visualization: unknown
  readonly query: { readonly query: string }
}

interface Place { readonly x: number, readonly y: number, readonly w: number, readonly h: number }

function kibana(): readonly SavedObject[] {
  const path = fileURLToPath(new URL('../../deploy/kibana/lintel.ndjson', import.meta.url))
  return readFileSync(path, 'utf8').trimEnd().split('\n').map(line => JSON.parse(line) as SavedObject)
}

/** Where LogQL's grammar finds a fault; none = there is none. */
function logqlFaults(text: string): number[] {
  const faults: number[] = []
  parser.parse(text).iterate({ enter: ({ type, from }) => { if (type.isError) faults.push(from) } })
  return faults
}

/** As Grafana fills them in. */
function filled(text: string): string {
  return text.replaceAll('$__auto', '1m').replaceAll('$__range', '1h').replaceAll('$service', 'lintel')
}

/** Names of a document with every field of the registry in it. */
function ecsNames(): Set<string> {
  const record: Record<string, unknown> = {}
  for (const { name, type } of FIELDS) put(record, name, type === 'address' ? '192.0.2.1' : type === 'headers' || type === 'marks' ? {} : 1)
  const names = new Set<string>()
  const walk = (value: object, before: string): void => {
    for (const [key, below] of Object.entries(value)) {
      if (typeof below === 'object' && below !== null) walk(below as object, `${before}${key}.`)
      else names.add(before + key)
    }
  }
  walk(ecsDocument(record, 'id'), '')
  return names
}

function put(record: Record<string, unknown>, name: string, value: unknown): void {
  const keys = name.split('.')
  let at = record
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>
  at[keys.at(-1) as string] = value
}

test('Grafana: panels have ids of their own, overlap nowhere, and variables are all there', () => {
  for (const name of ['prometheus', 'loki', 'clickhouse']) {
    const panels = panelsOf(name)
    assert.ok(panels.length > 10, name)
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, name)
    assertApart(panels.map(({ gridPos }) => ({ x: gridPos.x ?? 0, y: gridPos.y ?? 0, w: gridPos.w, h: gridPos.h })))
    const known = new Set(['__auto', '__range', '__rate_interval', ...variablesOf(name)])
    const texts = panels.flatMap(({ queries }) => queries)
    for (const [, variable] of texts.join('\n').matchAll(/\$\{?(\w*[a-z]\w*)/g)) {
      assert.ok(known.has(variable as string) || variable?.startsWith('__time') === true || variable === '__interval_s', `${name}: ${variable}`)
    }
  }
})

test('Loki: every expression is LogQL, and a fault is found', () => {
  for (const { queries } of panelsOf('loki')) {
    for (const query of queries) assert.deepEqual(logqlFaults(filled(query)), [], query)
  }
  assert.notDeepEqual(logqlFaults('sum (rate({a="b"} | json | x!= [1m]))'), [])
})

test('ClickHouse: the SQL names columns of the registry only', () => {
  const own = new Set(['server_errors', 'client_errors'])
  for (const { queries } of panelsOf('clickhouse')) {
    for (const query of queries) {
      const names = query.replaceAll(/'[^']*'/g, '').match(/(?<![$_\w])[a-z]+(?:_[a-z]+)+\b/g) ?? []
      for (const name of names) assert.ok(own.has(name) || KNOWN_COLUMNS.has(name), `${name} in ${query}`)
    }
  }
})

test('Kibana: fields are those of the documents, references lead somewhere, panels overlap nowhere', () => {
  const objects = kibana()
  const known = ecsNames()
  const byId = new Set(objects.map(({ type, id }) => `${type} ${id}`))
  assert.equal(byId.size, objects.length)
  for (const { references } of objects) for (const { type, id } of references) assert.ok(byId.has(`${type} ${id}`), id)
  for (const { attributes } of objects.filter(({ type }) => type === 'lens')) {
    const state = attributes['state'] as Lens
    for (const { columns, columnOrder } of Object.values(state.datasourceStates.formBased.layers)) {
      assert.deepEqual(Object.keys(columns), columnOrder)
      for (const { sourceField, operationType } of Object.values(columns)) assert.ok(operationType === 'count' || known.has(sourceField), sourceField)
      for (const [, id] of JSON.stringify(state.visualization).matchAll(/"(?:columnId|xAccessor|splitAccessor|metricAccessor)":"(\w+)"/g)) {
        assert.ok(columnOrder.includes(id as string), id)
      }
    }
    for (const [, field] of state.query.query.matchAll(/([\w.@]+)(?::| >=)/g)) assert.ok(known.has(field as string), field)
  }
  const view = objects[0]?.attributes as Record<string, string>
  const described = [view['fieldFormatMap'], view['fieldAttrs']].flatMap(text => Object.keys(JSON.parse(text as string) as object))
  assert.deepEqual(described.filter(name => !known.has(name)), [])
  const panels = JSON.parse(objects.at(-1)?.attributes['panelsJSON'] as string) as readonly { readonly gridData: Place }[]
  assert.equal(panels.length, objects.length - 2)
  assertApart(panels.map(({ gridData }) => gridData))
})

test('a name that the registry does not have makes no panel', () => {
  assert.throws(() => underscored('http.request.methd'), /"http.request.methd": it is not in src\/exchange\/fields.ts/)
  assert.ok(ecsNames().has(`${ENDS[0]}.ip`))
})

function assertApart(places: readonly Place[]): void {
  places.forEach((a, index) => {
    for (const b of places.slice(index + 1)) {
      assert.ok(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y, JSON.stringify([a, b]))
    }
  })
}
