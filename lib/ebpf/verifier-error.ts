import { BpfError } from './bpf-error.ts'

/** The kernel refused an object for a reason other than the verifier's. */
export class LoadError extends BpfError {
  override readonly name: string = 'LoadError'
}

/** The verifier refused a program. `message` shows the lines that matter, `log` has them all. */
export class VerifierError extends BpfError {
  override readonly name: string = 'VerifierError'
  readonly program: string
  /** The last meaningful lines of the log. */
  readonly summary: string
  readonly log: string

  constructor(program: string, log: string, code: string) {
    const { summary, omitted } = summarize(log)
    const hidden = omitted === 0 ? '' : ` (${omitted} ${omitted === 1 ? 'line' : 'lines'} omitted)`
    super(
      `Cannot load the program "${program}": the verifier refused it: ${summary}${hidden}; see .log`, code)
    this.program = program
    this.summary = summary
    this.log = log
  }
}

/** Lines that count what the verifier did, or frame it, and never say why it refused. */
const NOISE = [
  /^processed \d+ insns/,
  /^verification time /,
  /^stack depth /,
  /^(BEGIN|END) PROG LOAD LOG/,
  /^-- (BEGIN|END) PROG LOAD LOG --$/,
  /^max_states_per_insn /,
  /^mark_precise: /,
]

/** An instruction (`12: (61) r1 = *(u32 *)(r0 +0)`) or a state (`5: R0=...`). */
const INSTRUCTION = /^\d+: \([0-9a-f]{2}\) /
const SOURCE_LINE = /^; /

/**
 * The reason (last line that is not noise), preceded by the instruction it is about and the line of C
 * that instruction came from, when the log has them.
 */
function summarize(log: string): { readonly summary: string; readonly omitted: number } {
  const lines = log.split('\n').map((line) => line.trimEnd()).filter((line) => line !== '')
  let reason = lines.length - 1
  while (reason > 0 && NOISE.some((pattern) => pattern.test(lines[reason] ?? ''))) reason -= 1
  const text = lines[reason]
  if (text === undefined) return { summary: 'it gave no reason', omitted: 0 }
  const shown = [text]
  const instruction = lines.slice(0, reason).findLast((line) => INSTRUCTION.test(line))
  const source = lines.slice(0, reason).findLast((line) => SOURCE_LINE.test(line))
  if (instruction !== undefined) shown.push(`at ${instruction.replace(/\s+/g, ' ')}`)
  if (source !== undefined) shown.push(`in ${source.slice(2).trim()}`)
  return { summary: shown.join(', '), omitted: lines.length - shown.length }
}
