import { OCSF } from '../ocsf-body.ts'

type Json = Record<string, unknown>

/** The record that an event of OCSF was made of, put together again by the table. */
export function recordOf(event: Json): Json {
  const record: Json = {}
  for (const [name, value] of Object.entries(event['unmapped'] as Json)) {
    if (name.includes('.')) put(record, name, value)
    else record[name] = merge(record[name], value)
  }
  for (const { from, group, key, stays } of OCSF) {
    if (stays === true) continue
    const name = key.replace('!', '')
    const place = placeOf(event, group)
    const value = place?.[name] ?? (name === 'ip' ? place?.['name'] : undefined)
    if (value !== undefined && !(name === 'direction_id' && value === 0)) put(record, from, back(from, name, value))
  }
  return record
}

function placeOf(event: Json, group: string): Json | undefined {
  if (group === '') return event
  return (event[group] ?? (event['http_request'] as Json | undefined)?.[group]) as Json | undefined
}

function back(from: string, name: string, value: unknown): unknown {
  if (name === 'http_headers') {
    const header: Record<string, string[]> = {}
    for (const { name: key, value: text } of value as { name: string, value: string }[]) (header[key] ??= []).push(text)
    return header
  }
  if (name === 'direction_id') return value === 1 ? 'receive' : 'transmit'
  if (name === 'protocol_ver_id') return `ipv${String(value)}`
  return from === 'network.connection.id' ? Number(value) : value
}

function put(record: Json, name: string, value: unknown): void {
  const keys = name.split('.')
  const last = keys.pop() as string
  let at = record
  for (const key of keys) at = (at[key] ??= {}) as Json
  at[last] = value
}

function merge(one: unknown, other: unknown): unknown {
  return typeof one === 'object' && typeof other === 'object' ? { ...one, ...other } : other
}
