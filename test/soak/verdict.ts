import type { Growth } from './growth.ts'
import type { KernelLog } from './kernel-log.ts'
import { ledgerFaults } from './ledger.ts'
import type { Load } from './load.ts'
import type { Tally } from './tally.ts'

/** What a soak has met. */
export interface Outcome {
  /** Growth can be told from noise. */
  readonly isLong: boolean
  /** Lines that were read of its log. */
  readonly lines: number
  readonly tally: Tally
  readonly load: Load
  readonly growths: readonly Growth[]
  readonly kernelLog: KernelLog
  /** Objects that the agent has left in the kernel. */
  readonly left: readonly string[]
  /** Its exit code. */
  readonly code: number
  /** Its last line. */
  readonly totals: string
  readonly metrics: ReadonlyMap<string, number>
}

/** One line of the verdict; without faults it holds. */
export interface Check { readonly name: string; readonly faults: readonly string[]; readonly isJudged?: boolean }

/** Not `plaintext_undecided`: those are sessions of any process of the machine. */
const LOSS = /outcome="(?:lost|dropped)"|name="(?:plaintext_evicted|plaintext_replaced|plaintext_memory_refused|tls_notice_lost)"/

export function checksOf({ isLong, lines, tally: { counts }, load, growths, kernelLog, left, code, totals, metrics }: Outcome): Check[] {
  const check = (name: string, ...faults: (string | false)[]): Check => ({ name, faults: faults.filter((fault) => fault !== false) })
  const unexplained = counts.missing + counts.withoutResponse - [...lossesOf(metrics).values()].reduce((sum, value) => sum + value, 0)
  const ledgers = ledgerFaults(totals)
  return [
    check('every completed request is logged with its response, or a loss is counted',
      counts.completed === 0 && 'no request was completed',
      unexplained > 0 && `${unexplained} are missing or without their response, and no loss was counted for them`),
    check('none is logged twice', counts.twice > 0 && `${counts.twice} are`),
    check('none with another server, process or scheme', counts.wrong > 0 && `${counts.wrong} are`),
    check('every record belongs to a request', counts.stray > 0 && `${counts.stray} do not`),
    check('clients fail only where they, or their server, were ended', counts.failed > 0 && `${counts.failed} requests failed`,
      load.hung > 0 && `${load.hung} clients did not end`),
    check('the ledgers of packets, TLS calls and records add up', ...ledgers,
      !totals.endsWith('adds up') && `the agent says of itself: ${totals}`),
    check('as many lines as the agent says', !totals.includes(` = logged ${lines} + `) && `${lines} were read: ${totals}`),
    {
      isJudged: isLong,
      ...check('nothing grows', ...growths.map(({ name, grewPerHourAtLeast, perHour, isBroken }) => (
        isBroken && `${name} by ${grewPerHourAtLeast.toFixed(1)} an hour at least, the bound is ${perHour}`))),
    },
    check('the kernel has nothing to complain of', kernelLog.bad.length > 0 && kernelLog.bad.slice(0, 5).join(' | ')),
    check('the agent ends well, and nothing stays attached', code !== 0 && `exit code ${code}`,
      left.length > 0 && `left in the kernel: ${left.join(', ')}`),
  ]
}

/** Named losses that are not 0: of packets, of calls, of records; what plaintext had to be left out. */
export function lossesOf(metrics: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...metrics].filter(([name, value]) => value > 0 && LOSS.test(name)))
}
