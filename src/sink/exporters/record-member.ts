const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, COMMA, COLON] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a]
/** Of these the rest of a field's name is the name of one header, dots and all. */
const HEADERS = /^(http\.(?:request|response)\.(?:header|trailer|interim_header))\.(.+)$/

/** A field's name as the members that lead to it in a record: `client.address`, `http.request.header.x-tenant`. */
export function memberPath(field: string): readonly Buffer[] {
  const [, before, header] = HEADERS.exec(field) ?? []
  const names = before === undefined || header === undefined ? field.split('.') : [...before.split('.'), header]
  return names.map(name => Buffer.from(JSON.stringify(name)))
}

/**
 * A field's value out of a record's line, without parsing the line: text as it is, of a list its first text, all else as it stands in
 * JSON. Undefined where the record has no such field, or it is null or an empty list.
 *
 * @param line one JSON object, without white space between its tokens, as the agent writes them
 */
export function memberValue(line: Buffer, path: readonly Buffer[]): Buffer | undefined {
  let at = 1
  for (const [depth, name] of path.entries()) {
    const start = memberStart(line, at, name)
    if (start === undefined) return undefined
    if (depth < path.length - 1 && line[start] !== OPEN) return undefined
    at = depth < path.length - 1 ? start + 1 : start
  }
  return valueAt(line, at)
}

/** Where the value of the member `name` (with its quotes) begins, in the object whose first member stands at `at`. */
function memberStart(line: Buffer, at: number, name: Buffer): number | undefined {
  for (let from = at; line[from] === QUOTE;) {
    const end = stringEnd(line, from)
    if (line[end] !== COLON) return undefined
    if (end - from === name.length && line.compare(name, 0, name.length, from, end) === 0) return end + 1
    from = valueEnd(line, end + 1)
    if (line[from] !== COMMA) return undefined
    from++
  }
  return undefined
}

function valueAt(line: Buffer, start: number): Buffer | undefined {
  const at = line[start] === OPEN_LIST ? start + 1 : start
  if (line[at] === CLOSE_LIST) return undefined
  const bytes = line.subarray(at, valueEnd(line, at))
  if (bytes[0] !== QUOTE) return bytes.equals(NULL) || bytes.length === 0 ? undefined : bytes
  return bytes.includes(BACKSLASH) ? Buffer.from(JSON.parse(bytes.toString()) as string) : bytes.subarray(1, -1)
}

const NULL = Buffer.from('null')

/** Behind the closing quote of the string that begins at `at`. */
function stringEnd(line: Buffer, at: number): number {
  for (let end = line.indexOf(QUOTE, at + 1); end !== -1; end = line.indexOf(QUOTE, end + 1)) {
    let slashes = 0
    while (line[end - 1 - slashes] === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end + 1
  }
  return line.length
}

/** Behind the value that begins at `at`. */
function valueEnd(line: Buffer, at: number): number {
  let depth = 0
  for (let from = at; from < line.length;) {
    const byte = line[from]
    if (byte === QUOTE) {
      from = stringEnd(line, from)
    } else if (byte === OPEN || byte === OPEN_LIST) {
      depth++
      from++
    } else if (byte === CLOSE || byte === CLOSE_LIST) {
      if (depth === 0) return from
      depth--
      from++
    } else if (byte === COMMA && depth === 0) {
      return from
    } else {
      from++
      continue
    }
    if (depth === 0 && (line[from] === COMMA || line[from] === CLOSE || line[from] === CLOSE_LIST)) return from
  }
  return line.length
}
