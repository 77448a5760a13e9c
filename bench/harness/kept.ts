import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Session } from './session.ts'

/** Lines of a file, or of every file in a folder, that match a basic regular expression of grep. */
export async function countLines(session: Session, path: string, pattern: string): Promise<number> {
  if (!existsSync(path)) return Number.NaN
  const paths = statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path]
  let count = 0
  for (const each of paths) count += await grepCount(session, each, pattern)
  return count
}

/** The log, and what was rotated away from it: `log.ndjson`, `log-20261125T231541304Z.ndjson`, the same with `.zst`. */
const LOG_FILE = /^log(-\w+)?\.ndjson(\.zst)?$/

/** Exchanges in Lintel's log and in what was rotated away from it, compressed or not; of one path, or of all. */
export async function countExchanges(session: Session, folder: string, path?: string): Promise<number> {
  const pattern = `^{"kind":"exchange"${path === undefined ? '' : `.*"path":"${path}"`}`
  let count = 0
  for (const name of logFiles(folder)) count += await grepCount(session, join(folder, name), pattern)
  return count
}

/** Names of the files of Lintel's log in its folder. */
export function logFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => LOG_FILE.test(name))
}

async function grepCount(session: Session, path: string, pattern: string): Promise<number> {
  const read = path.endsWith('.zst') ? 'zstd -dcq -- "$1"' : 'cat -- "$1"'
  // grep answers 1 when nothing matches: that is a count of 0.
  return Number(await session.run(['sh', '-c', `${read} | LC_ALL=C grep -a -c -e "$2" || [ $? = 1 ]`, 'sh', path, pattern]))
}

/** A count held against what the load generator counted. */
export interface Kept {
  readonly logged: number
  readonly counted: number
  /** Requests that may be answered and logged but no longer read when the generator stops. */
  readonly inFlight: number
}

/** In words: what is missing at worst over the rounds, and what is there beyond what was in flight. */
export function showMissing(rounds: readonly Kept[]): string {
  if (rounds.every(({ logged }) => Number.isNaN(logged))) return '-'
  if (rounds.every(({ logged }) => logged === 0)) return 'not read'
  const missing = Math.max(...rounds.map(({ logged, counted }) => Math.max(0, counted - logged)))
  const beyond = Math.max(...rounds.map(({ logged, counted, inFlight }) => Math.max(0, logged - counted - inFlight)))
  return beyond > 0 ? `${missing}, and ${beyond} too many` : `${missing}`
}
