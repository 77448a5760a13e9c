/** The rules of gitleaks, read from the corpora: name, expression, group of the secret, least entropy. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const CORPORA = process.env['LINTEL_CORPORA'] ?? join(import.meta.dirname, '../../../shared/corpora')

export interface GitleaksRule {
  readonly id: string
  readonly regex: string
  readonly secretGroup: number
  readonly entropy: number
}

/** The rules that have an expression; reads only the part of TOML that the file uses. */
export function readGitleaksRules(): GitleaksRule[] {
  const text = readFileSync(join(CORPORA, 'redaction/gitleaks/gitleaks.toml'), 'utf8')
  const rules: GitleaksRule[] = []
  for (const block of text.split('[[rules]]').slice(1)) {
    const own = block.split('[[rules.allowlists]]')[0] ?? ''
    const regex = /^regex = '''([\s\S]*?)'''$/m.exec(own)?.[1]
    const id = /^id = "(.*)"$/m.exec(own)?.[1]
    if (id === undefined || regex === undefined) continue
    rules.push({
      id,
      // Its dots are meant: without this a sample is no address of Slack.
      regex: regex.replace('hooks.slack.com', 'hooks\\.slack\\.com'),
      secretGroup: Number(/^secretGroup = (\d+)$/m.exec(own)?.[1] ?? 0),
      entropy: Number(/^entropy = ([\d.]+)$/m.exec(own)?.[1] ?? 0),
    })
  }
  return rules
}

/** Shannon's entropy in bits for each character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>()
  for (const c of text) counts.set(c, (counts.get(c) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) =>
    sum - (count / text.length) * Math.log2(count / text.length), 0)
}
