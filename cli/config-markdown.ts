import { configJsonSchema } from '../src/config/json-schema.ts'

interface Schema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly required?: readonly string[]
}

/** docs/configuration.md, from the schema that checks the file. */
export function configMarkdown(): string {
  const schema = configJsonSchema() as Schema
  const sections = Object.entries(schema.properties ?? {}).map(([name, section]) => sectionText(name, section))
  return `# Configuration

\`lintel run --config FILE\` reads a YAML file. Every key may be left out; an empty file means the defaults. The flags of the command line
use the same words and win over the file. \`lintel config check FILE\` says what is wrong with a file, with line, column and mend;
\`lintel config schema\` prints the JSON Schema, for editors: save it as \`lintel.schema.json\` and begin the file with
\`# yaml-language-server: $schema=lintel.schema.json\`.

Sizes are written \`64MiB\` (powers of 1024), \`1GB\` (powers of 1000) or in bytes; durations \`500ms\`, \`10s\`, \`1h30m\`, \`7d\`.
SIGHUP makes a running agent read the file anew and opens its files again; when the file is wrong, the configuration before stays in force.
Filters, kinds, fields, headers, privacy, trust, exchanges, capture.tls.processes and what the kernel leaves out change at once; mode, interfaces,
hook, transport, ring, processes, TLS probes, decoders, outputs, limits, metrics and statistics are taken at the start only, and the agent
says so.

${example()}
${sections.join('\n')}`
}

function example(): string {
  return `\`\`\`yaml
capture:
  ports: [80, 8000-8999]
headers:
  exclude: [x-internal-*]
filter: http.response.status_code >= 400 || duration > duration("500ms")
outputs:
  - type: file
    path: /var/log/lintel/exchanges.ndjson
    rotate: {bytes: 256MiB, age: 24h}
    keep: {files: 14}
  - type: file
    path: /var/log/lintel/errors.ndjson
    filter: http.response.status_code >= 500
\`\`\`
`
}

function sectionText(name: string, section: Schema): string {
  const members = kinds(section)
  const head = `## ${name}\n\n${section.description ?? ''}\n`
  const single = members === undefined && section.properties === undefined
  if (single) return `${head}\n| key | value | default |\n| --- | --- | --- |\n| \`${name}\` | ${valueText(section)} | ${defaultText(section)} |\n`
  if (members === undefined) return `${head}\n${table(rows(section, ''))}`
  return head + members.map(member => {
    const type = String(member.properties?.['type']?.const ?? member.properties?.['type']?.enum?.[0] ?? '')
    return `\n### type: ${type}\n\n${member.description ?? ''}\n\n${table(rows(member, ''))}`
  }).join('')
}

/** Members of a list of several kinds (outputs). */
function kinds(section: Schema): readonly Schema[] | undefined {
  return section.type === 'array' ? section.items?.oneOf ?? section.items?.anyOf?.filter(member => member.properties !== undefined) : undefined
}

function table(lines: readonly string[]): string {
  return `| key | value | default | |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n`
}

function rows(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const path = prefix + name
    if (member.properties !== undefined) return rows(member, `${path}.`)
    const nested = member.type === 'array' && member.items?.properties !== undefined ? rows(member.items, `${path}[].`) : []
    return [`| \`${path}\` | ${valueText(member)} | ${schema.required?.includes(name) === true && member.default === undefined ? 'needed'
      : defaultText(member)} | ${(member.description ?? '').replaceAll('|', '\\|')} |`, ...nested]
  })
}

function valueText(schema: Schema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.enum !== undefined) return schema.enum.map(value => `\`${String(value)}\``).join(', ')
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'values' : valueText(schema.items)}`
  const members = schema.anyOf ?? schema.oneOf
  if (members !== undefined) return [...new Set(members.map(valueText))].join(' or ')
  return { string: 'text', integer: 'whole number', number: 'number', boolean: 'true or false', object: 'section' }[schema.type ?? ''] ?? 'value'
}

function defaultText(schema: Schema): string {
  const value = schema.default
  if (value === undefined) return ''
  return Array.isArray(value) && value.length === 0 ? 'none' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}
