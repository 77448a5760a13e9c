const QUOTED = /[",\r\n]/

/** A text as a cell of CSV (RFC 4180). */
export function csvQuoted(text: string): string {
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
