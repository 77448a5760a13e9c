/** What can stand in a filter: fields, headers and values seen. */
export interface Vocabulary {
  readonly fields: readonly { readonly name: string, readonly type: string, readonly doc: string }[]
  readonly headers: readonly string[]
  /** By field. */
  readonly values: ReadonlyMap<string, readonly string[]>
}

/** A text that takes the place from `start` to `end`. */
export interface Completion {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly doc: string
}

const OFFERS_MAX = 12
const FUNCTIONS: readonly (readonly [text: string, doc: string])[] = [
  ['has(', 'the field is there'], ['size(', 'number of letters or entries'], ['duration("1s")', 'a time span'], ['timestamp("', 'a time'],
]
const METHODS: readonly (readonly [text: string, doc: string])[] = [
  ['startsWith("', 'begins with'], ['endsWith("', 'ends with'], ['contains("', 'has in it'], ['matches("', 'a pattern (RE2)'],
  ['lowerAscii()', 'in small letters'],
]

/** What could stand at the cursor, the nearest first. */
export function completions(text: string, cursor: number, vocabulary: Vocabulary): readonly Completion[] {
  const before = text.slice(0, cursor)
  const header = /\bhttp\.(?:request|response)\.(?:header|trailer|interim_header)\["([\w-]*)$/.exec(before)
  if (header !== null) return matching(vocabulary.headers.map(name => [`${name}"]`, '']), header[1] as string, cursor)
  const hasHeader = /"([\w-]+)$/.exec(before)
  const value = /([a-z0-9_.]+)\s*==\s*"([^"]*)$/.exec(before)
  if (value !== null) {
    const seen = vocabulary.values.get(value[1] as string) ?? []
    return matching(seen.map(each => [`${escaped(each)}"`, '']), value[2] as string, cursor)
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
