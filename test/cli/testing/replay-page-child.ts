/**
 * A run with its page, as `lintel run --web` has it, over a capture file instead of the kernel; the page stays until SIGTERM.
 *
 * In: the capture and the store's folder as arguments.
 *
 * @module
 */
import { once } from 'node:events'
import { RunPage } from '../../../cli/page.ts'
import { session } from '../../../cli/session.ts'
import { configSchema, type Config } from '../../../src/config.ts'

const [file, store] = process.argv.slice(2) as [string, string]
const config: Config = {
  ...configSchema.parse({ outputs: [{ type: 'store', path: store }], web: { enabled: true, address: '127.0.0.1:0' } }), files: [file],
}
const asked = once(process, 'SIGTERM')
const staying = setInterval(() => {}, 1000) // a signal's listener alone keeps no process
const page = await RunPage.start(config)
await session({
  config, reread: () => config, outputs: [page.output],
  started: (attachments, _metrics, agent) => { page.follow(agent, attachments, true) },
})
process.stdout.write('over\n')
await asked
clearInterval(staying)
await page.stop()
