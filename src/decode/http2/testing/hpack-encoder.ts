/** HPACK as tests need it: plain literals and indices, in the representation that is asked for (RFC 7541 6). */

/** A prefixed integer (RFC 7541 5.1). `first` holds the bits in front of the prefix. */
export function hpackInteger(first: number, prefix: number, value: number): Buffer {
  const mask = (1 << prefix) - 1
  if (value < mask) return Buffer.of(first | value)
  const bytes = [first | mask]
  for (value -= mask; value >= 128; value >>>= 7) bytes.push((value & 127) | 128)
  return Buffer.from([...bytes, value])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  return Buffer.concat([hpackInteger(0, 7, bytes.length), bytes])
}

export const LITERAL = { indexed: 0x40, plain: 0x00, never: 0x10 } as const

/** A literal field with its name as text. */
export function literalField(form: number, name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(form), text(name), text(value)])
}

/** A block of plain literals, nothing indexed. */
export function plainBlock(fields: Readonly<Record<string, string>> | readonly (readonly [string, string])[]): Buffer {
  const list = Array.isArray(fields) ? fields as readonly (readonly [string, string])[] : Object.entries(fields)
  return Buffer.concat(list.map(([name, value]) => literalField(LITERAL.plain, name, value)))
}

/** Entries of the static table that every encoder uses (RFC 7541 appendix A). */
const STATIC: ReadonlyMap<string, number> = new Map([
  [':method: GET', 2], [':method: POST', 3], [':path: /', 4], [':scheme: http', 6], [':scheme: https', 7], [':status: 200', 8],
  [':status: 204', 9], [':status: 304', 11], [':status: 404', 13], [':status: 500', 14],
])
const STATIC_NAMES: ReadonlyMap<string, number> = new Map([
  [':authority', 1], [':method', 2], [':path', 4], [':scheme', 6], [':status', 8], ['content-type', 31], ['server', 54],
])

/** One that indexes whatever it can and evicts as RFC 7541 4.3 says: the peer of a decoder that must keep up with it. */
export class HpackEncoder {
  readonly #entries: [string, string][] = []
  #size = 0
  #sizeMax = 4096
  #update: number | undefined

  /** The next block begins with a size update. */
  resize(sizeMax: number): void {
    this.#sizeMax = sizeMax
    this.#update = sizeMax
    this.#evict(sizeMax)
  }

  encode(fields: readonly (readonly [name: string, value: string])[], form: (name: string) => number = () => LITERAL.indexed): Buffer {
    const parts: Buffer[] = []
    if (this.#update !== undefined) parts.push(hpackInteger(0x20, 5, this.#update))
    this.#update = undefined
    for (const [name, value] of fields) parts.push(this.#field(name, value, form(name)))
    return Buffer.concat(parts)
  }

  #field(name: string, value: string, form: number): Buffer {
    const known = STATIC.get(`${name}: ${value}`)
    if (known !== undefined) return hpackInteger(0x80, 7, known)
    const whole = this.#entries.findIndex(([key, entry]) => key === name && entry === value)
    if (whole >= 0 && form !== LITERAL.never) return hpackInteger(0x80, 7, 62 + whole)
    const place = this.#entries.findIndex(([key]) => key === name)
    const named = STATIC_NAMES.get(name) ?? (place < 0 ? 0 : 62 + place)
    const start = named > 0 ? hpackInteger(form, form === LITERAL.indexed ? 6 : 4, named)
      : Buffer.concat([Buffer.of(form), text(name)])
    if (form === LITERAL.indexed) this.#insert(name, value)
    return Buffer.concat([start, text(value)])
  }

  #insert(name: string, value: string): void {
    const size = name.length + value.length + 32
    this.#evict(Math.max(0, this.#sizeMax - size))
    if (size > this.#sizeMax) return
    this.#entries.unshift([name, value])
    this.#size += size
  }

  #evict(size: number): void {
    while (this.#size > size) {
      const [name, value] = this.#entries.pop()!
      this.#size -= name.length + value.length + 32
    }
  }
}
