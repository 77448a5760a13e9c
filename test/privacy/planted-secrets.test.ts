import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { CORPORA, entropyOf, readGitleaksRules, type GitleaksRule } from './gitleaks-rules.ts'
import { RuleSampler } from './rule-sampler.ts'
import { seededRandom, WallProbe } from './wall-probe.ts'

const ROUNDS = Number(process.env['LINTEL_PLANT_ROUNDS'] ?? 12)

const missing = !existsSync(CORPORA)
if (missing &&
  process.env['CI'] === 'true') throw new Error(`Cannot test planted secrets: "${CORPORA}" is missing`)

interface Planted {
  /** What must not survive. */
  readonly secret: string
  /** The secret with what its rule needs around it. */
  readonly match: string
}

/**
 * Rules that go by a common word alone ("key", "password") and whose secret can look like any other value.
 */
const WORD_RULES = ['generic-api-key', 'curl-auth-header', 'hashicorp-tf-password']

/** Samples that are no secrets, and those that are stated not to be found (Limits in src/privacy/mod.ts). */
function isPlantable(id: string, text: string, secret: string): boolean {
  // The sampler does not see to word boundaries; of the words in front of secrets only this one needs them.
  if (/curl\w/.test(text)) return false
  // Values of a Kubernetes Secret that are empty or a template are none.
  if (id === 'kubernetes-secret-yaml') return /[a-z0-9+/]{10,}=*["']?(kind|\s|$)/i.test(secret)
  if (!WORD_RULES.includes(id)) return true
  // Limit: behind a common word that is not all of the name, letters alone or fewer than 12 characters in a
  // row are found after = and : only.
  const operator = text.slice(0, text.lastIndexOf(secret))
  if (id === 'hashicorp-tf-password') return !/[,|>]|password[\w.-]*[ \t]+[\w.-]/i.test(operator)
  return /\d/.test(secret) && /[\w+~=-]{12}/.test(secret) && new Set(secret).size >= 9
}

function plant(rule: GitleaksRule, sampler: RuleSampler): Planted {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { text, groups } = sampler.sample()
    const numbered = rule.secretGroup > 0 ? groups.get(rule.secretGroup) : [...groups].sort(([a], [b]) =>
      a - b)[0]?.[1]
    const secret = (numbered !== undefined && numbered.length >= 8 ? numbered : text).trim()
    if (!isPlantable(rule.id, text, secret)) continue
    // Forty digits alone are any SHA-1: gitleaks too asks for its keyword then.
    const match = rule.id === 'sourcegraph-access-token' && !text.includes('sgp_') ?
      `sourcegraph: ${text}` : text
    if (secret.length >= 8 && entropyOf(secret) >= Math.max(rule.entropy, 2)) return { secret,
      match: match.trim() }
  }
  throw new Error(`no sample of ${rule.id} has enough entropy`)
}

function percentAll(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}

function decodePercent(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)))
}

/** Every reading of a text that someone who holds the log could try. */
function* readings(text: string): Generator<string> {
  for (const one of new Set([text, decodePercent(text)])) {
    yield one
    for (const [run] of one.matchAll(/[A-Za-z0-9+/_-]{8,}/g)) {
      for (let shift = 0; shift < 4; shift++) {
        yield Buffer.from(run.slice(shift).replace(/-/g, '+').replace(/_/g, '/'), 'base64').toString('latin1')
      }
    }
  }
}

type Place = readonly [name: string, write: (probe: WallProbe, planted: Planted) => string | undefined]

const isTarget = (text: string): boolean => /^[\x21-\x7e]+$/.test(text) && !/[#?/&]/.test(text)
const inTarget = (text: string): string => (isTarget(text) ? text : encodeURIComponent(text))

const PLACES: readonly Place[] = [
  ['authorization with a scheme', (probe, { secret }) => probe.header('Authorization', `Bearer ${secret}`)],
  ['authorization alone', (probe, { secret }) => probe.header('AUTHORIZATION', secret)],
  ['proxy-authorization', (probe, { secret }) => probe.header('proxy-authorization',
    `Basic ${btoa(secret)}`)],
  ['cookie', (probe, { secret }) => probe.header('Cookie', `theme=dark; sid=${secret}; x=1`)],
  // With an equals sign inside it, what is in front of the sign is a name by RFC 6265 5.4.
  ['cookie without a name', (probe, { secret }) => probe.header('cookie', secret.replaceAll('=', ''))],
  ['set-cookie', (probe, { secret }) => probe.header('SET-COOKIE', `sid=${secret}; Path=/; HttpOnly`, true)],
  ['set-cookie attribute', (probe, { secret }) => probe.header('set-cookie', `sid=1; Note=${secret}; Secure`,
    true)],
  ['key header', (probe, { secret }) => probe.header('X-API-KEY', secret)],
  ['token header', (probe, { secret }) => probe.header('x-acme-token', secret)],
  ['query of a secret name', (probe, { secret }) =>
    probe.query(`a=1&access_token=${encodeURIComponent(secret)}&b=2`)],
  ['query of an encoded secret name', (probe, { secret }) =>
    probe.query(`a=1&%41PI-key=${encodeURIComponent(secret)}&b=2`)],
  ['query', (probe, { match }) => probe.query(`a=1&q=${inTarget(match)}&b=2`)],
  ['query alone', (probe, { match }) => probe.query(inTarget(match))],
  ['query, every byte encoded', (probe, { match }) => probe.query(`q=${percentAll(match)}`)],
  ['query in base64', (probe, { match }) => probe.query(`q=${encodeURIComponent(btoa(match))}&r=1`)],
  ['query in base64url', (probe, { match }) => probe.query(`q=${Buffer.from(match).toString('base64url')}`)],
  ['path', (probe, { match }) => probe.path(`/v1/${inTarget(match)}/items`)],
  ['path, every byte encoded', (probe, { match }) => probe.path(`/v1/${percentAll(match)}/items`)],
  ['path in base64url', (probe, { match }) =>
    probe.path(`/v1/${Buffer.from(match).toString('base64url')}/items`)],
  ['custom header', (probe, { match }) => probe.header('X-Note', match)],
  ['custom header among words', (probe, { match }) => probe.header('x-note', `see ${match} for more`)],
  ['custom header, encoded', (probe, { match }) =>
    probe.header('x-note', `u=${encodeURIComponent(match)}, v`)],
  ['custom header, every byte encoded', (probe, { match }) => probe.header('x-note', percentAll(match))],
  ['custom header in base64', (probe, { match }) => probe.header('x-note', btoa(match))],
  ['custom header in base64, shifted', (probe, { match }) =>
    probe.header('x-note', `data:${btoa(`> ${match}`)};x`)],
  ['custom header in base64url', (probe, { match }) =>
    probe.header('x-note', Buffer.from(`xyz ${match}`).toString('base64url'))],
  ['json in a header', (probe, { match }) => probe.header('x-context',
    JSON.stringify({ n: 1, data: match, z: [true] }))],
  ['json member of a secret name', (probe, { secret }) =>
    probe.header('x-context', JSON.stringify({ n: 1, password: secret }))],
  ['referer', (probe, { match }) => probe.header('Referer',
    `https://example.com/p/x?q=${inTarget(match)}&r=1`)],
  ['location of a secret name', (probe, { secret }) =>
    probe.header('location', `/cb?code=${encodeURIComponent(secret)}&state=x`, true)],
  ['user info', (probe, { secret }) => probe.header('referer',
    `https://user:${encodeURIComponent(secret)}@example.com/p`)],
  ['user info, raw', (probe, { secret }) => probe.header('origin',
    `https://user:${secret.replace(/[\s"'<>`/?#]/g, '')}@example.com`)],
  ['free text', (probe, { match }) => probe.text(match)],
]

test('no secret of any gitleaks rule gets past the wall, in any place and encoding', { skip: missing },
  (context) => {
  const probe = new WallProbe()
  const rules = readGitleaksRules()
  const random = seededRandom(20_240_601)
  const leaks = new Map<string, string>()
  let planted = 0
  for (const rule of rules) {
    const sampler = new RuleSampler(rule.regex, random)
    for (let round = 0; round < ROUNDS; round++) {
      const one = plant(rule, sampler)
      for (const [place, write] of PLACES) {
        const output = write(probe, one) ?? ''
        planted++
        for (const reading of readings(output)) {
          if (reading.includes(one.secret)) leaks.set(`${rule.id}: ${place}`, `${one.match} -> ${output}`)
        }
      }
    }
  }
  context.diagnostic(`${rules.length} rules, ${planted} plantings, ${leaks.size} leaks`)
  assert.deepEqual([...leaks].slice(0, 40), [])
})

test('with a key no secret of any gitleaks rule gets past the wall either', { skip: missing }, () => {
  const probe = new WallProbe({ hash_key_ephemeral: true })
  const random = seededRandom(7)
  const leaks: string[] = []
  for (const rule of readGitleaksRules()) {
    const one = plant(rule, new RuleSampler(rule.regex, random))
    for (const [place, write] of PLACES) {
      for (const reading of readings(write(probe,
        one) ?? '')) if (reading.includes(one.secret)) leaks.push(`${rule.id}: ${place}`)
    }
  }
  assert.deepEqual(leaks, [])
})

test('a header whose name holds a secret is dropped', () => {
  const probe = new WallProbe()
  assert.equal(probe.header('x-ghp_0123456789abcdefghijklmnopqrstuvwxyz', '1'), undefined)
  assert.equal(probe.wall.counters().namesWithCredentials, 1)
})
