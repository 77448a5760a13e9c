import { FIELDS, RECORD_KINDS, type Field } from '../src/exchange/fields.ts'
import { nearest } from '../lib/nearest/mod.ts'
import { UsageError } from './exit.ts'

const FORMATS = ['table', 'json', 'markdown'] as const

/** `lintel fields`: the registry of fields, for people, programs or the docs. */
export function fields(format: string): void {
  switch (format) {
    case 'table': process.stdout.write(table()); break
    case 'json': process.stdout.write(`${JSON.stringify(FIELDS, undefined, 2)}\n`); break
    case 'markdown': process.stdout.write(fieldsMarkdown()); break
    default: {
      const meant = nearest(format, FORMATS)
      throw new UsageError(`Cannot use --format "${format}": it must be ${FORMATS.join(', ')}` +
        (meant === undefined ? '' : `; did you mean "${meant}"?`))
    }
  }
}

function table(): string {
  const rows = [['FIELD', 'TYPE', 'LOGGED', 'RECORDS', ''], ...FIELDS.map(field => [
    field.name, typeText(field), field.standard ? 'yes' : '-', kindsText(field), field.doc,
  ])]
  const widths = [0, 1, 2, 3].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n') +
    '\n\nLOGGED "-": chosen with --field NAME, or fields.include in the config.\n'
}

/** Body of docs/fields.md. */
export function fieldsMarkdown(): string {
  const rows = FIELDS.map(field => `| \`${field.name}\` | ${typeText(field)} | ${field.standard ? 'yes' : 'when chosen'} | ` +
    `${kindsText(field)} | ${field.sensitivity === 'none' ? '' : field.sensitivity} | ${field.doc.replaceAll('|', '\\|')} |`)
  return `# Fields of records

Each record is one JSON object a line; a name with dots is nested: \`url.path\` stands at \`{"url":{"path":...}}\`.
Fields that are not logged by themselves are chosen with \`--field NAME\`, or \`fields.include\` in the config.
A field that is not there was not seen; \`marks\` says why where that is known.

Sensitivity says how a value is treated before it is written anywhere: \`personal\` can be made anonymous, \`free\` is searched for
credentials, of \`headers\` each value is judged by its header's name as well.

| field | type | logged | records | sensitivity | what it is |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`
}

function typeText(field: Field): string {
  const unit = field.unit === 'By' ? 'bytes' : field.unit
  return unit === undefined || field.type === 'seconds' ? field.type : `${field.type}, ${unit}`
}

function kindsText(field: Field): string {
  return field.kinds.length === RECORD_KINDS.length ? 'all' : field.kinds.join(', ')
}
