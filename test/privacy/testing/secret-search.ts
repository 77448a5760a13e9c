import { createHash } from 'node:crypto'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'

/** Characters that must not be found in a row: a part of a secret is a leak as well. */
const PART_LENGTH = 10

/** Letters and digits that stand nowhere else, the same for the same seed. */
function unique(seed: string, length: number): string {
  const digest = createHash('sha512').update(seed).digest('base64').replaceAll(/[^A-Za-z0-9]/g, '')
  return `${digest}${createHash('sha512').update(`${seed} more`).digest('base64').replaceAll(/[^A-Za-z0-9]/g, '')}`.slice(0, length)
}

/** A value that is secret by its place alone, or, with `ghp_`, one that its look gives away anywhere. */
export interface Secret {
  readonly place: string
  readonly plain: string
  readonly token: string
}

export function secretFor(place: string): Secret {
  return { place, plain: unique(`plain ${place}`, 24), token: `ghp_${unique(`token ${place}`, 36)}` }
}

/** Everything that someone who holds these bytes could read in them, in lower case. */
export function readings(bytes: Buffer): string[] {
  const texts = new Set<string>()
  for (const plain of [bytes, ...unpacked(bytes)]) {
    const raw = plain.toString('latin1')
    const once = percentDecoded(raw)
    for (const text of [raw, once, percentDecoded(once), unescaped(raw), raw.replaceAll(/\s/g, '')]) {
      texts.add(text)
      texts.add([...decodedRuns(text)].join('\n'))
    }
  }
  return [...texts].map((text) => text.toLowerCase())
}

function unpacked(bytes: Buffer): Buffer[] {
  return [zstdDecompressSync, gunzipSync, brotliDecompressSync].flatMap((unpack) => {
    try {
      return [unpack(bytes)]
    } catch {
      return [] // not packed so
    }
  })
}

function percentDecoded(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

function unescaped(text: string): string {
  return text.replaceAll(/\\u00([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** Runs that may be base64 (at each of its four offsets), base64url or hexadecimal, decoded. */
function* decodedRuns(text: string): Generator<string> {
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{8,}/g)) {
    const standard = run.replaceAll('-', '+').replaceAll('_', '/')
    for (let offset = 0; offset < 4; offset++) yield Buffer.from(standard.slice(offset), 'base64').toString('latin1')
    if (/^(?:[0-9a-f]{2})+$/i.test(run)) yield Buffer.from(run, 'hex').toString('latin1')
  }
}

/** Places whose secret, or ten characters in a row of it, stands in one of the readings. */
export function leaks(secrets: readonly Secret[], texts: readonly string[]): string[] {
  return secrets.filter(({ plain, token }) => [plain, token.slice(4)].some((secret) => {
    const lower = secret.toLowerCase()
    for (let at = 0; at + PART_LENGTH <= lower.length; at++) {
      const part = lower.slice(at, at + PART_LENGTH)
      if (texts.some((text) => text.includes(part))) return true
    }
    return false
  })).map(({ place }) => place)
}
