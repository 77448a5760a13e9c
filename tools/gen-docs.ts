/**
 * Writes the pages of docs/ that come from code: fields.md from the field registry, configuration.md from the schema, store.md from both.
 *
 * In: `--check` as argument: writes nothing, exit code 1 when a page is stale.
 *
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { configMarkdown } from '../cli/config-markdown.ts'
import { fieldsMarkdown } from '../cli/fields.ts'
import { storeMarkdown } from '../cli/store-markdown.ts'

const folder = fileURLToPath(new URL('../docs/', import.meta.url))
const pages = new Map([['fields.md', fieldsMarkdown()], ['configuration.md', configMarkdown()], ['store.md', storeMarkdown()]])
const isCheck = process.argv.includes('--check')

for (const [name, text] of pages) {
  if (!isCheck) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(folder + name, text)
  } else if (current(folder + name) !== text) {
    console.error(`docs/${name} is stale: run node tools/gen-docs.ts`)
    process.exitCode = 1
  }
}

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
