/**
 * Turns the field registry (src/exchange/fields.ts) into constants for AssemblyScript: wasm/field-ids.gen.ts.
 *
 * In: the registry. Out: the text on the file, or with `--check` exit code 1 when the committed file differs.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FIELDS, MARK_REASONS } from '../src/exchange/fields.ts'

const target = fileURLToPath(new URL('../wasm/field-ids.gen.ts', import.meta.url))

function constantName(text: string): string {
  return text.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')
}

/** Text of wasm/field-ids.gen.ts. */
export function generateFieldIds(): string {
  const lines = [
    '// Made by tools/gen-fields.ts from src/exchange/fields.ts. Do not edit: run `node tools/gen-fields.ts`.',
    '',
    ...FIELDS.map(({ name }, index) => `export const FIELD_${constantName(name)} = ${index + 1}`),
    '',
    '/** Fields are 1 .. this. */',
    `export const FIELD_LAST = ${FIELDS.length}`,
    '',
    ...MARK_REASONS.map((reason, index) => `export const REASON_${constantName(reason)} = ${index + 1}`),
  ]
  return `${lines.join('\n')}\n`
}

if (import.meta.main) {
  const text = generateFieldIds()
  if (!process.argv.includes('--check')) {
    writeFileSync(target, text)
  } else if (readFileSync(target, 'utf8') !== text) {
    console.error('wasm/field-ids.gen.ts is stale: run "node tools/gen-fields.ts" and commit it')
    process.exit(1)
  }
}
