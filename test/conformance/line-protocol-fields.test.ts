import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FIELDS } from '../../src/exchange/fields.ts'
import { FLOAT_FIELDS, JSON_FIELDS } from '../../src/sink/exporters/line-protocol.ts'

test('line protocol: tables hold the fields of these types, and no others', () => {
  const ofType = (...types: string[]) => new Set(FIELDS.filter(({ type }) => types.includes(type)).map(({ name }) => name))
  assert.deepEqual(FLOAT_FIELDS, ofType('seconds'))
  assert.deepEqual(JSON_FIELDS, ofType('headers', 'marks'))
})
