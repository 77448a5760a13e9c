/** A name as an identifier of ClickHouse. */
export function clickName(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

/** Text as a literal of ClickHouse, where a backslash begins an escape. */
export function clickQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
