import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PAGE = fileURLToPath(new URL('../../../docs/scale.md', import.meta.url))

/** The statements of docs/scale.md that make tables and views, in their order. */
export function scaleSql(): readonly string[] {
  const blocks = [...readFileSync(PAGE, 'utf8').matchAll(/```sql\n([^]*?)```/g)].map(([, text]) => text as string)
  return blocks.flatMap(text => text.split(';\n')).map(text => text.trim()).filter(text => /^CREATE (TABLE|MATERIALIZED)/.test(text))
}

/** Its questions. */
export function scaleQuestions(): readonly string[] {
  const blocks = [...readFileSync(PAGE, 'utf8').matchAll(/```sql\n([^]*?)```/g)].map(([, text]) => text as string)
  return blocks.flatMap(text => text.split(';\n')).map(text => text.trim()).filter(text => text.startsWith('SELECT'))
}
