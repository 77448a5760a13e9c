import { statSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { tlsFilesOf } from '../src/config/web.ts'
import { FIELDS } from '../src/exchange/fields.ts'
import { columnsOf } from '../src/store/mod.ts'
import { hashPassword, PageServer, pageSource } from '../src/web/mod.ts'
import { askedStore } from './data-directory.ts'
import { say, UsageError } from './exit.ts'
import { configOf, webFrom } from './flag-config.ts'
import { accessOf, linkOf } from './page.ts'
import { version } from './version.ts'

export interface WebFlags {
  readonly config?: string
  readonly store?: string
  readonly listen?: string
  readonly hashPassword?: boolean
}

const PASSWORD_MIN = 10

/** `lintel web`: the page over a store, or over what the config's store names, until a signal. */
export async function web(flags: WebFlags): Promise<void> {
  if (flags.hashPassword === true) return await printHash()
  const config = configOf(flags.config)
  const wanted = webFrom(config.web, flags.listen, 'listen')
  const { address, names, users, prices } = wanted
  const store = askedStore(config, flags.store)
  if ('folder' in store && statSync(store.folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`Cannot show the store "${store.folder}": there is no such folder; name it with --store DIR`)
  }
  const source = pageSource(store, columnsOf(FIELDS))
  const access = accessOf(users)
  process.umask(0o077)
  const server = new PageServer({
    ...address, tls: tlsFilesOf(wanted), names, access, prices, version: version(), fields: FIELDS, source, log: say,
  })
  const ended = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { resolve() })
  })
  say('info', `the page shows ${source.title} at ${linkOf(await server.start(), access)}`)
  await ended
  await server.stop()
}

/** The password by standard input: an argument could be read by everybody on this machine. */
async function printHash(): Promise<void> {
  if (process.stdin.isTTY) say('info', 'write the password (it shows), then Enter and Ctrl-D')
  const password = (await text(process.stdin)).replace(/\r?\n$/, '')
  if (password.length < PASSWORD_MIN) {
    throw new UsageError(`Cannot use a password of ${password.length} characters: write ${PASSWORD_MIN} or more to standard input`)
  }
  process.stdout.write(`${await hashPassword(password)}\n`)
}
