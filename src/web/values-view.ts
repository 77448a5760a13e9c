import type { Column } from '../store/mod.ts'
import { AskedWronglyError } from './question.ts'
import type { View } from './view.ts'

/** Of the newest exchanges, and what else was logged since: enough to know what a field looks like, and cheap. */
const NEWEST = 20_000
/** Whoever looks for one of these knows it, or reads it in a record. */
const TYPES = ['string', 'address', 'mac', 'int']

/**
 * Values seen of one field, the most frequent first: for the completion of filters.
 *
 * @param field its name, from a URL @throws {AskedWronglyError}
 */
export function valuesView(field: string, columns: readonly Column[]): View {
  const column = columns.find(each => each.field === field && TYPES.includes(each.fieldType))
  if (column === undefined) {
    const shown = JSON.stringify(field.slice(0, 60))
    throw new AskedWronglyError(`Cannot use field=${shown}: it must be a field with a text or a whole number, e.g. url.domain`)
  }
  return {
    name: 'values',
    title: 'Values',
    columns: [{ title: field, unit: 'text' }, { title: 'Records', unit: 'count' }],
    newest: NEWEST,
    sql: ({ where, limit }) => `SELECT "${column.name}" AS value, count(*) AS n FROM records WHERE ${where} AND "${column.name}" IS NOT NULL
      GROUP BY 1 ORDER BY n DESC, 1 LIMIT ${limit}`,
  }
}
