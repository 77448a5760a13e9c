import { statSync } from 'node:fs'
import { webAddressSchema } from '../src/config/network.ts'
import { FIELDS } from '../src/exchange/fields.ts'
import { columnsOf } from '../src/store/mod.ts'
import { makeToken, PageServer } from '../src/web/mod.ts'
import { defaultStore } from './data-directory.ts'
import { say, UsageError } from './exit.ts'
import { checked, configFrom, NO_FLAGS } from './flag-config.ts'
import { version } from './version.ts'

export interface WebFlags {
  readonly config?: string
  readonly store?: string
  readonly listen: string
}

/** `lintel web`: the page over a store, until a signal. */
export async function web(flags: WebFlags): Promise<void> {
  const address = checked('listen', webAddressSchema, flags.listen)
  const store = flags.store ?? defaultStore(configFrom({ ...NO_FLAGS, ...(flags.config === undefined ? {} : { config: flags.config }) }))
  if (statSync(store, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`Cannot show the store "${store}": there is no such folder; name it with --store DIR`)
  }
  const token = makeToken()
  process.umask(0o077)
  const server = new PageServer({ ...address, token, version: version(), fields: FIELDS, columns: columnsOf(FIELDS), store, log: say })
  const ended = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { resolve() })
  })
  const url = await server.start()
  say('info', `the page shows "${store}" at ${url}/?token=${token}`)
  await ended
  await server.stop()
}
