import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { type Alias, type Document, isMap, isNode, LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { ConfigError, type ConfigProblem, pathText } from './config-error.ts'
import { explain, meant } from './explain.ts'
import { keysAt } from './schema-keys.ts'

const BYTES_MAX = 1024 * 1024
const ALIASES_MAX = 100

/**
 * Reads a YAML file and checks it.
 *
 * @throws {ConfigError} with every problem, its place and its mend
 */
export function readConfig<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw whole(path, `Cannot read the config file: ${reason(error as NodeJS.ErrnoException)}`)
  }
  return parseConfig(bytes, path, schema)
}

/** The same for bytes at hand; `file` is for messages. */
export function parseConfig<Schema extends z.ZodType>(bytes: Uint8Array, file: string, schema: Schema): z.output<Schema> {
  if (bytes.length > BYTES_MAX) throw whole(file, `Cannot use a config file of ${bytes.length} bytes: ${BYTES_MAX} are allowed`)
  if (!isUtf8(bytes)) throw new ConfigError([{ file, path: '', ...invalidAt(bytes), message: 'must be UTF-8: save the file in that encoding' }])
  const lines = new LineCounter()
  const text = new TextDecoder().decode(bytes)
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, strict: true })
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const broken = document.errors.map(error => ({ file, path: '', ...place(error.pos[0]), message: yamlMessage(error.code, error.message) }))
  if (broken.length > 0) throw new ConfigError(broken)
  const value = plainValue(document, file, place)
  const result = schema.safeParse(value ?? {}, { error: explain })
  if (result.success) return result.data
  const problems = result.error.issues.flatMap(issue => problemsOf(issue, schema, document, file, place))
  throw new ConfigError(problems.sort((a, b) => a.line - b.line || a.column - b.column))
}

/** Values without YAML: an alias bomb (a few lines that stand for billions) is refused here. */
function plainValue(document: Document, file: string, place: (offset: number) => { line: number, column: number }): unknown {
  try {
    // A key without a value (all below it commented out) is a key that is left out.
    return document.toJS({ maxAliasCount: ALIASES_MAX, reviver: (_key: unknown, value: unknown) => value === null ? undefined : value })
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    const unknown = unknownAlias(document)
    if (unknown?.range) {
      const message = `names the anchor "${unknown.source}", which is not set before it: write &${unknown.source} at a value above, or quote the text`
      throw new ConfigError([{ file, path: '', ...place(unknown.range[0]), message }])
    }
    throw whole(file, `Cannot use the config file: its aliases (*name) stand for more than ${ALIASES_MAX} values; write them out`)
  }
}

/** The first alias whose anchor does not stand before it. */
function unknownAlias(document: Document): Alias | undefined {
  let found: Alias | undefined
  visit(document, {
    Alias: (_key, node) => {
      if (node.resolve(document) !== undefined) return undefined
      found = node
      return visit.BREAK
    },
  })
  return found
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodType, document: Document, file: string,
  place: (offset: number) => { line: number, column: number }): ConfigProblem[] {
  if (issue.code !== 'unrecognized_keys') {
    return [{ file, path: pathText(issue.path), ...place(offsetOf(document, issue.path)), message: issue.message }]
  }
  const known = keysAt(schema, issue.path)
  return issue.keys.map(key => ({
    file, path: pathText([...issue.path, key]), ...place(keyOffset(document, issue.path, key)),
    message: `there is no such key${meant(key, known) || `; there are ${known.join(', ')}`}`,
  }))
}

/** Where the value stands; for one that is missing, the nearest thing around it. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

function keyOffset(document: Document, path: readonly PropertyKey[], key: string): number {
  const parent = path.length === 0 ? document.contents : document.getIn(path, true)
  const pair = isMap(parent) ? parent.items.find(item => String(item.key) === key) : undefined
  return isNode(pair?.key) && pair.key.range ? pair.key.range[0] : offsetOf(document, path)
}

/** The parser's complaint with a mend for those that people meet. */
function yamlMessage(code: string, message: string): string {
  const first = message.split('\n')[0] ?? message
  switch (code) {
    case 'TAB_AS_INDENT': return 'must not be indented with a tab: use spaces'
    case 'DUPLICATE_KEY': return 'must not have the same key twice: leave one of them out, or join them'
    case 'MULTIPLE_DOCS': return 'must be one document: leave out what stands behind "---"'
    case 'MISSING_CHAR': case 'BAD_INDENT': case 'UNEXPECTED_TOKEN': case 'IMPOSSIBLE':
      return `is no valid YAML: ${first}; look at quotes, brackets and indentation here and in the line before`
    default: return `is no valid YAML: ${first}`
  }
}

/** Place of the first byte that is no UTF-8. */
function invalidAt(bytes: Uint8Array): { line: number, column: number } {
  let valid = 0
  let end = bytes.length
  while (valid < end) {
    const middle = Math.ceil((valid + end) / 2)
    if (startsValid(bytes, middle)) valid = middle
    else end = middle - 1
  }
  const before = new TextDecoder().decode(bytes.subarray(0, valid))
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: before.length - lineStart + 1 }
}

/** True when the first `length` bytes are UTF-8, a sequence that is cut at the end aside. */
function startsValid(bytes: Uint8Array, length: number): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true })
    return true
  } catch {
    return false
  }
}

function whole(file: string, message: string): ConfigError {
  return new ConfigError([{ file, line: 0, column: 0, path: '', message }])
}

function reason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT': return 'there is no such file; give the path of one, or leave --config out'
    case 'EACCES': case 'EPERM': return 'permission denied; run as a user who may read it'
    case 'EISDIR': return 'it is a folder; give the path of a file in it'
    default: return error.message
  }
}
