import { statSync } from 'node:fs'
import { isatty } from 'node:tty'
import { requireDecoders } from './decoders.ts'
import { withOutputs } from './data-directory.ts'
import { say, UsageError } from './exit.ts'
import { configFrom } from './flag-config.ts'
import type { ReplayFlags } from './flags.ts'
import { PacketExport } from './packet-export.ts'
import { session } from './session.ts'

const STANDARD_INPUT = '-'

/** `lintel replay FILE...`: logs what capture files hold, then ends. */
export async function replay(files: readonly string[], flags: ReplayFlags): Promise<void> {
  for (const file of files) {
    if (file === STANDARD_INPUT) {
      if (isatty(0)) throw new UsageError('Cannot replay standard input: it is a terminal; pipe a capture into it')
      continue
    }
    const found = statSync(file, { throwIfNoEntry: false })
    if (found === undefined) throw new UsageError(`Cannot replay "${file}": there is no such file`)
    if (found.isDirectory()) throw new UsageError(`Cannot replay "${file}": it is a folder; name the files in it`)
  }
  const read = () => withOutputs(configFrom(flags, files), false)
  const config = read()
  requireDecoders(config.decoders)
  const packets = flags.packets === undefined ? undefined : new PacketExport(flags.packets, config)
  await session({ config, reread: read, outputs: packets === undefined ? [] : [host => packets.flows(host)] })
  if (packets === undefined) return
  const { isComplete, text } = packets.write()
  say(isComplete ? 'info' : 'warn', text)
}
