import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CREDENTIAL_PATTERNS, type PrivacyInput } from '../../src/privacy/mod.ts'
import { seededRandom, WallProbe } from './wall-probe.ts'

const LITERALS = CREDENTIAL_PATTERNS.map((pattern) => pattern.literal)
const PIECES = [...LITERALS, '=', ':', '; ', ', ', '&', '%', '%25', '%3D', '@', '//', 'https://', '"', "'",
  '\\', '{', '}', ' ', 'password', 'token=',
  'a', '0', 'AAAA', '-', '_', '.', '\0', '\xff', 'é', 'eyJ', '.ey', 'Bearer ', '1234567890123456']

function randomText(random: () => number, most: number): string {
  const length = Math.floor(random() * most)
  let text = ''
  while (text.length < length) {
    const kind = random()
    if (kind < 0.3) text += String.fromCharCode(Math.floor(random() * 256))
    else if (kind < 0.5) text += 'abcdefghijklmnopqrstuvwxyz0123456789'.slice(0, Math.floor(random() * 36))
    else text += PIECES[Math.floor(random() * PIECES.length)] ?? ''
  }
  return text
}

/** Names whose actions are all there are; WallProbe itself checks the bound of what is written. */
const NAMES = ['x-note', 'authorization', 'cookie', 'set-cookie', 'x-api-key', 'x-forwarded-for', 'referer']

const CONFIGURATIONS: readonly (readonly [title: string, options: PrivacyInput])[] = [
  ['with nothing configured', {}],
  ['with a key, cards, anonymised addresses and patterns', {
    hash_key_ephemeral: true,
    addresses: 'anonymise',
    credentials: { cards: true, patterns: [{ name: 'own', regex: 'a[0-9]|b' }] },
  }],
]

for (const [title, options] of CONFIGURATIONS) {
  test(`random texts never trap and never grow over the bound, ${title}`, () => {
    const probe = new WallProbe(options)
    const random = seededRandom(42)
    for (let round = 0; round < 3000; round++) {
      const text = randomText(random, round % 50 === 0 ? 20_000 : 300)
      for (const name of NAMES) probe.header(name, text)
      probe.query(text)
      probe.path(text)
      probe.text(text)
    }
  })
}

test('cookies so short that their replacements would not fit end in one REDACTED', () => {
  const probe = new WallProbe({ hash_key_ephemeral: true })
  const output = probe.header('cookie', 'b;'.repeat(5000)) ?? ''
  assert.ok(output.length <= 4 * 10_000 + 160)
  assert.ok(output.endsWith('REDACTED'))
  assert.equal(probe.wall.counters().cut, 1)
})

test('a text over the bound of the search is hidden whole', () => {
  const probe = new WallProbe()
  assert.equal(probe.header('x-note', 'a '.repeat(70_000)), 'REDACTED')
})

test('a digit is looked for within 128 bytes, so that a run of literals costs no square', () => {
  const probe = new WallProbe()
  assert.equal(probe.text(`sk-${'a'.repeat(127)}1`), 'REDACTED')
  const far = `sk-${'a'.repeat(128)}1`
  assert.equal(probe.text(far), far)
  const run = 'sk-'.repeat(40_000)
  assert.equal(probe.text(run), run)
})
