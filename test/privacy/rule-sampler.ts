/**
 * Random texts that a regular expression of gitleaks (RE2 syntax) matches: for planting secrets. Knows what
 * its rules use: alternation, groups with flags and names, classes, counted repetition, `\b`, `$`, `\z`.
 */
type Node =
  | { kind: 'alternatives'; items: Node[]; group: number }
  | { kind: 'sequence'; items: Node[] }
  | { kind: 'repeat'; item: Node; least: number; most: number; lazy: boolean }
  | { kind: 'set'; chars: string }
  | { kind: 'nothing' }

const WORD = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_'
const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('')
const POSIX = new Map([['alnum', WORD.slice(0, 62)], ['digit', '0123456789'], ['alpha', WORD.slice(0, 52)]])

/** What a sample is: the whole match, and what each group took. */
export interface Sample {
  readonly text: string
  readonly groups: ReadonlyMap<number, string>
}

export class RuleSampler {
  readonly #source: string
  #at = 0
  #groups = 0
  readonly #root: Node
  readonly #random: () => number

  constructor(source: string, random: () => number) {
    this.#source = source
    this.#random = random
    this.#root = this.#alternatives(0)
  }

  sample(): Sample {
    const groups = new Map<number, string>()
    return { text: this.#write(this.#root, groups), groups }
  }

  #peek(text: string): boolean {
    return this.#source.startsWith(text, this.#at)
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false
    this.#at += text.length
    return true
  }

  #alternatives(group: number): Node {
    const items = [this.#sequence()]
    while (this.#take('|')) items.push(this.#sequence())
    return { kind: 'alternatives', items, group }
  }

  #sequence(): Node {
    const items: Node[] = []
    while (this.#at < this.#source.length && !this.#peek('|') &&
      !this.#peek(')')) items.push(this.#repeated(this.#atom()))
    return { kind: 'sequence', items }
  }

  #repeated(item: Node): Node {
    let [least, most] = [1, 1]
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#source.slice(this.#at))
    if (counted !== null) {
      this.#at += counted[0].length
      least = Number(counted[1])
      most = counted[2] === undefined ? least : counted[3] === '' ? least + 8 : Number(counted[3])
    } else if (this.#take('*')) [least, most] = [0, 4]
    else if (this.#take('+')) [least, most] = [8, 16]
    else if (this.#take('?')) [least, most] = [0, 1]
    else return item
    return { kind: 'repeat', item, least, most, lazy: this.#take('?') }
  }

  #atom(): Node {
    if (this.#take('(?')) return this.#flagged()
    if (this.#take('(')) return this.#closed(++this.#groups)
    if (this.#take('[')) return { kind: 'set', chars: this.#class() }
    if (this.#take('^') || this.#take('$')) return { kind: 'nothing' }
    if (this.#take('.')) return { kind: 'set', chars: WORD }
    if (this.#take('\\')) return this.#escape()
    return { kind: 'set', chars: this.#source[this.#at++] ?? '' }
  }

  #closed(group: number): Node {
    const inside = this.#alternatives(group)
    if (!this.#take(')')) throw new Error(`no ")" at ${this.#at} of ${this.#source}`)
    return inside
  }

  #flagged(): Node {
    const head = /^(P<\w+>|[a-z]*(-[a-z]+)?[:)])/.exec(this.#source.slice(this.#at))
    if (head === null) throw new Error(`unknown group at ${this.#at} of ${this.#source}`)
    this.#at += head[0].length
    if (head[0].endsWith(')')) return { kind: 'nothing' }
    return this.#closed(head[0].startsWith('P<') ? ++this.#groups : 0)
  }

  #escape(): Node {
    const c = this.#source[this.#at++] ?? ''
    if (c === 'b' || c === 'B' || c === 'z') return { kind: 'nothing' }
    return { kind: 'set', chars: this.#escaped(c) }
  }

  #escaped(c: string): string {
    if (c === 'd') return '0123456789'
    if (c === 'w') return WORD
    if (c === 's') return ' '
    if (c === 'S') return WORD
    if (c === 't') return '\t'
    if (c === 'n' || c === 'r') return '' // no header value holds a line break
    if (c !== 'x') return c
    const code = this.#source.slice(this.#at, this.#at + 2)
    this.#at += 2
    return String.fromCharCode(Number.parseInt(code, 16))
  }

  #class(): string {
    const negated = this.#take('^')
    let chars = ''
    while (!this.#take(']')) {
      const posix = /^\[:(\w+):\]/.exec(this.#source.slice(this.#at))
      if (posix !== null) {
        this.#at += posix[0].length
        chars += POSIX.get(posix[1] ?? '') ?? ''
        continue
      }
      let c = this.#source[this.#at++] ?? ''
      if (c === '\\') c = this.#escaped(this.#source[this.#at++] ?? '')
      if (c.length === 1 && this.#peek('-') && this.#source[this.#at + 1] !== ']') {
        this.#at++
        const last = this.#source[this.#at++] ?? ''
        for (let code = c.charCodeAt(0); code <= last.charCodeAt(0);
          code++) chars += String.fromCharCode(code)
      } else {
        chars += c
      }
    }
    return negated ? [...PRINTABLE].filter((c) => !chars.includes(c) && /[\w.-]/.test(c)).join('') : chars
  }

  #pick(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #write(node: Node, groups: Map<number, string>): string {
    switch (node.kind) {
      case 'nothing': return ''
      case 'set': return node.chars[this.#pick(node.chars.length)] ?? ''
      case 'sequence': return node.items.map((item) => this.#write(item, groups)).join('')
      case 'repeat': {
        const most = node.lazy ? node.least : node.least === 0 ?
          Math.min(node.most, 2) : Math.min(node.most, node.least + 8)
        const count = node.least + this.#pick(most - node.least + 1)
        let text = ''
        for (let index = 0; index < count; index++) text += this.#write(node.item, groups)
        return text
      }
      case 'alternatives': {
        const empty = node.items.find((item) => item.kind === 'sequence' && item.items.length > 0
          && item.items.every((inner) => inner.kind === 'nothing'))
        const text = this.#write(empty ?? node.items[this.#pick(node.items.length)] ?? { kind: 'nothing' },
          groups)
        if (node.group !== 0 && text !== '') groups.set(node.group, text)
        return text
      }
    }
  }
}
