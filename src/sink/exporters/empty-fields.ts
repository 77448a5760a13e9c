/** What an empty object, or an empty list, is written as; in a value, too, where it means nothing. */
const [OBJECT, LIST] = [Buffer.from('":{}'), Buffer.from('":[]')]

/** Names of the fields of a record that are there and empty: not all servers can tell these from such as are missing. */
export function emptyFields(line: Buffer): readonly string[] {
  if (!line.includes(OBJECT) && !line.includes(LIST)) return []
  const found: string[] = []
  collect(JSON.parse(line.toString()) as object, '', found)
  return found
}

function collect(object: object, prefix: string, found: string[]): void {
  for (const [name, value] of Object.entries(object)) {
    if (typeof value !== 'object' || value === null) continue
    if (Object.keys(value as object).length === 0) found.push(prefix + name)
    else if (!Array.isArray(value)) collect(value as object, `${prefix}${name}.`, found)
  }
}
