/**
 * The process of a store that makes segments of its journals: see src/sink/store/packer-handle.ts. A process and not a thread,
 * because DuckDB is native code with a memory of its own: whatever becomes of it, the capture goes on, and it works at the
 * lowest priority.
 *
 * In: `PackerOptions` as JSON in the first argument, `ToPacker` by the channel. Out: `FromPacker`. Ends when the channel closes.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { setPriority } from 'node:os'
import { FIELDS } from './exchange/fields.ts' // not by mod.ts: this process does without the stage
import type { FromPacker, PackerOptions, ToPacker } from './sink/store/packer-message.ts'
import { packTrouble } from './store/pack-trouble.ts'
import { columnsOf, Packing } from './store/mod.ts'

const PRIORITY = 10

const packing = new Packing(JSON.parse(process.argv[2] as string) as PackerOptions, columnsOf(FIELDS), {
  packed: number => { tell({ type: 'packed', number }) },
  log: (level, message) => { tell({ type: 'log', level, message }) },
})
process.umask(0o077) // DuckDB makes files by it: 0600
let rounds = Promise.resolve()

function tell(message: FromPacker): void {
  process.send?.(message)
}

async function round({ before }: ToPacker): Promise<void> {
  try {
    await packing.round(before)
    tell({ type: 'done', before })
  } catch (error) {
    tell({ type: 'done', before, trouble: packTrouble(error) })
  }
}

try {
  // By thread: in Linux the priority is a thread's own, and those started later have that of their starter.
  for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), PRIORITY)
} catch {
  // It then works at the agent's priority.
}
// A signal to the whole group (Ctrl-C) is the agent's to answer: it closes the channel when it has done with the store.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
// At once, in the middle of whatever is made: nothing waits for it any more, and the next one needs the lock.
process.on('disconnect', () => { process.kill(process.pid, 'SIGKILL') })
process.on('message', (message: ToPacker) => { rounds = rounds.then(() => round(message)) })
