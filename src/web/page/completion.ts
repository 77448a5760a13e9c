/** What can stand in a filter: fields and headers seen. */
export interface Vocabulary {
  readonly fields: readonly { readonly name: string, readonly type: string, readonly doc: string }[]
  readonly headers: readonly string[]
}

/** What a filter compares: a field, or the first value of a header of the request. */
export interface Compared {
  readonly field: string
  readonly header?: string
  /** What is written of the value, behind its quote mark where it is a text. */
  readonly begun: string
  readonly isText: boolean
}

/** A comparison at the cursor, and the values that were seen of its field. */
export interface SeenValues {
  readonly compared: Compared
  readonly values: readonly string[]
}

/** A text that takes the place from `start` to `end`. */
export interface Completion {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly doc: string
}

const OFFERS_MAX = 12
const COMPARED = /([a-z][a-z0-9_.]*)(?:\["([\w-]+)"\]\[0\])?\s*[!=]=\s*(?:"([^"\\]*)|(\d*))$/
const FUNCTIONS: readonly (readonly [text: string, doc: string])[] = [
  ['has(', 'the field is there'], ['size(', 'number of letters or entries'], ['duration("1s")', 'a time span'], ['timestamp("', 'a time'],
]
const METHODS: readonly (readonly [text: string, doc: string])[] = [
  ['startsWith("', 'begins with'], ['endsWith("', 'ends with'], ['contains("', 'has in it'], ['matches("', 'a pattern (RE2)'],
  ['lowerAscii()', 'in small letters'],
]

/** The comparison whose value stands before the cursor. */
export function comparedAt(before: string): Compared | undefined {
  const [, field, header, text, number] = COMPARED.exec(before) ?? []
  if (field === undefined || (header !== undefined) !== (field === 'http.request.header')) return undefined
  return { field, ...(header === undefined ? {} : { header }), begun: text ?? number ?? '', isText: text !== undefined }
}

/** What could stand at the cursor, the nearest first. */
export function completions(text: string, cursor: number, vocabulary: Vocabulary, seen: SeenValues | undefined): readonly Completion[] {
  const before = text.slice(0, cursor)
  const header = /\bhttp\.(?:request|response)\.(?:header|trailer|interim_header)\["([\w-]*)$/.exec(before)
  if (header !== null) return matching(vocabulary.headers.map(name => [`${name}"]`, '']), header[1] as string, cursor)
  const hasHeader = /"([\w-]+)$/.exec(before)
  if (seen !== undefined) {
    const { compared: { field, begun, isText }, values } = seen
    const isNumber = vocabulary.fields.some(({ name, type }) => name === field && type === 'int')
    return matching(values.map(each => [isNumber ? each : `${isText ? '' : '"'}${escaped(each)}"`, '']), begun, cursor)
  }
  if (hasHeader !== null) return matching(vocabulary.headers.map(name => [`${name}" in http.request.header`, '']), hasHeader[1] as string, cursor)
  if (/(?:^|[^\\])"[^"]*$/.test(before) && (before.match(/"/g)?.length ?? 0) % 2 === 1) return []
  const word = /[A-Za-z_][\w.]*$/.exec(before)?.[0] ?? ''
  if (word === '') return []
  const known = vocabulary.fields.find(({ name, type }) => type === 'string' && word.startsWith(`${name}.`))
  if (known !== undefined) return matching(METHODS, word.slice(known.name.length + 1), cursor)
  return matching([...vocabulary.fields.map(({ name, doc }) => [name, doc] as const), ...FUNCTIONS], word, cursor)
}

/** Those that begin with the word, then those that have it in them. */
function matching(offers: readonly (readonly [text: string, doc: string])[], word: string, cursor: number): readonly Completion[] {
  const lower = word.toLowerCase()
  const found = offers.filter(([text]) => text.toLowerCase().includes(lower) && text !== word)
  const begins = (text: string): boolean => text.toLowerCase().startsWith(lower)
  const sorted = [...found.filter(([text]) => begins(text)), ...found.filter(([text]) => !begins(text))]
  return sorted.slice(0, OFFERS_MAX).map(([text, doc]) => ({ start: cursor - word.length, end: cursor, text, doc }))
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}
