import { type Field, FIELDS } from '../../src/exchange/fields.ts'
import { TABLE } from '../../src/sink/exporters/ecs.ts'

const BY_NAME: ReadonlyMap<string, Field> = new Map(FIELDS.map(field => [field.name, field]))
const ECS_NAMES: ReadonlyMap<string, string> = new Map(TABLE.map(({ from, to }) => [from, to]))

/** @throws {RangeError} for a name that is not in the registry: the dashboards then ask for nothing that is there */
export function registered(name: string): Field {
  const field = BY_NAME.get(name)
  if (field === undefined) throw new RangeError(`Cannot make a panel of "${name}": it is not in src/exchange/fields.ts`)
  return field
}

/** With underscores: a label of Prometheus, a column of a store or of ClickHouse, a label behind Loki's `| json`. */
export function underscored(name: string): string {
  return registered(name).name.replaceAll('.', '_')
}

/** Name in documents of the output `elasticsearch`. */
export function ecsName(name: string): string {
  return ECS_NAMES.get(registered(name).name) ?? `lintel.${name}`
}

/** Fields that documents have, headers and marks left out: they are flattened there, and their keys come from traffic. */
export function plainFields(): readonly Field[] {
  return FIELDS.filter(({ type }) => type !== 'headers' && type !== 'marks')
}
