import { z } from 'zod'
import { configSchema } from '../config.ts'

/** The configuration as JSON Schema draft-07, for editors: `# yaml-language-server: $schema=lintel.schema.json`. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-07' }) as Record<string, unknown>
  return { title: 'Lintel configuration', ...schema }
}
