import { execFileSync } from 'node:child_process'

/** What a kernel says when something in it, or in a program that it probes, went wrong. */
const BAD = new RegExp([
  'WARNING', '\\bBUG\\b', 'Oops', 'Call Trace', 'general protection', 'hung_task', 'blocked for more than', 'INFO: task', 'INFO: rcu',
  'stall', 'lockup', 'refcount_t', 'KASAN', 'UBSAN', 'deadlock', 'lockdep', 'allocation failure', 'Out of memory', 'oom-kill', 'segfault', 'traps:',
  'invalid opcode', 'uprobe', 'verifier',
].join('|'), 'i')

/** Lines of the kernel's log that are worse than news; those from before the start are left out. */
export class KernelLog {
  /** All new lines. */
  lines = 0
  readonly bad: string[] = []
  #seen: string

  constructor() {
    this.#seen = read().at(-1) ?? ''
  }

  follow(): void {
    const all = read()
    // By the last line that was seen, with its time in microseconds; when it has left the kernel's buffer, everything is new.
    const fresh = all.slice(all.lastIndexOf(this.#seen) + 1)
    this.#seen = fresh.at(-1) ?? this.#seen
    this.lines += fresh.length
    this.bad.push(...fresh.filter(isBad))
  }
}

/** @param line as dmesg prints it */
export function isBad(line: string): boolean {
  return BAD.test(line)
}

function read(): string[] {
  return execFileSync('dmesg', { encoding: 'utf8', maxBuffer: 1 << 26 }).split('\n').filter((line) => line !== '')
}
