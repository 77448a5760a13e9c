import { readFileSync } from 'node:fs'
import { nearest } from '../lib/nearest/mod.ts'
import { UsageError } from './exit.ts'

/** Names of the interfaces of this network namespace; /sys may be of another one. */
export function interfaceNames(): string[] {
  const lines = readFileSync('/proc/self/net/dev', 'utf8').split('\n').slice(2)
  return lines.map(line => line.slice(0, line.lastIndexOf(':')).trim()).filter(name => name !== '')
}

/** @throws {UsageError} that lists what there is, when one of the names is none of them */
export function requireInterfaces(names: readonly string[]): void {
  const known = interfaceNames()
  for (const name of names) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    throw new UsageError(`Cannot capture on "${name}": there is no such interface; there are ${known.join(', ')}` +
      (meant === undefined ? '' : `; did you mean "${meant}"?`))
  }
}
