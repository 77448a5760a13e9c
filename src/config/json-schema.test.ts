import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultConfig } from '../config.ts'
import { configJsonSchema } from './json-schema.ts'

interface Node { readonly default?: unknown, readonly properties?: Record<string, Node> }

/** Keys that have a value without a configuration (an empty list is none, nor has a section that is not there), of which the schema and so the docs do not tell it. */
function untold(value: unknown, node: Node, path: string): string[] {
  if (node.properties === undefined) {
    const isNone = value === undefined || (Array.isArray(value) && value.length === 0)
    return isNone || node.default !== undefined ? [] : [path]
  }
  return Object.entries(node.properties).flatMap(([key, member]) => untold((value as Record<string, unknown> | undefined)?.[key], member, `${path}.${key}`))
}

test('the schema tells the default of every key that has one', () => {
  assert.deepEqual(untold(defaultConfig(), configJsonSchema() as Node, 'config'), [])
})
