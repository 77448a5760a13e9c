/** Reads bodies for SIEMs as their specifications say. */
import assert from 'node:assert/strict'

export interface SiemBody {
  readonly head: readonly string[]
  readonly keys: ReadonlyMap<string, string>
}

/** Header and extension, unescaped, as CEF's specification says. */
export function readCef(text: string): SiemBody {
  const parts = text.match(/(?:[^\\|]|\\.)*\||.*$/g) as string[]
  const head = parts.slice(0, 7).map(part => part.slice(0, -1))
  const keys = new Map<string, string>()
  for (const [, key = '', value = ''] of parts.slice(7).join('').matchAll(/(\w+)=((?:[^\\=]|\\.)*?)(?= \w+=|$)/g)) {
    assert.equal(keys.has(key), false, `${key} is there twice`)
    keys.set(key, value.replace(/\\(.)/g, (_, char: string) => char === 'n' ? '\n' : char === 'r' ? '\r' : char))
  }
  return { head, keys }
}

/** Header and attributes of LEEF 2.0 with tabs between them; it has no escapes. */
export function readLeef(text: string): SiemBody {
  const head = text.split('|', 6)
  const pairs = text.slice(head.join('|').length + 1).split('\t').map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)
  assert.equal(new Set(pairs.map(([key]) => key)).size, pairs.length, 'a key is there twice')
  return { head, keys: new Map(pairs) }
}
