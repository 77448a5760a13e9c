/** Ledgers of the agent's last word, each `NAME seen N = PART n + PART n (REASON n, ...) + ...`. */
const LEDGER = /(records|packets|TLS calls) seen (\d+) = ([^;]*)/g
const LEDGERS = 3

/**
 * Adds up by itself what the agent says of itself.
 *
 * @param totals its line of totals
 * @returns what does not add up, in words; a ledger that is missing is a fault too
 */
export function ledgerFaults(totals: string): string[] {
  const faults: string[] = []
  const ledgers = [...totals.matchAll(LEDGER)]
  if (ledgers.length !== LEDGERS) faults.push(`${ledgers.length} ledgers in the totals, not ${LEDGERS}: ${totals}`)
  for (const [, name, seen, text = ''] of ledgers) {
    const parts = text.replace(/\([^)]*\)/g, '')
    const sum = sumOf(parts)
    if (sum !== Number(seen)) faults.push(`${name}: ${seen} seen, the parts are ${sum}`)
    for (const [, part, reasons = ''] of text.matchAll(/(\d+) \(([^)]*)\)/g)) {
      if (sumOf(reasons) !== Number(part)) faults.push(`${name}: a part is ${part}, its reasons are ${sumOf(reasons)}`)
    }
  }
  return faults
}

function sumOf(text: string): number {
  return [...text.matchAll(/\b(\d+)\b/g)].reduce((sum, [digits]) => sum + Number(digits), 0)
}
