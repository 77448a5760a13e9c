import { readFileSync, readlinkSync, statSync } from 'node:fs'

const PASSWD = '/etc/passwd'
const PASSWD_BYTES_MAX = 1 << 20
const LOOK_AGAIN_MS = 10_000

/**
 * Names of this host's users, from /etc/passwd, looked at again when it has changed. Users of other name services (LDAP) stay
 * numbers, as do those of processes with a root of their own: there the same number is somebody else.
 */
export class UserNames {
  readonly #ownNamespace = mountNamespaceOf('self')
  #names = new Map<number, string>()
  #changedAt = -1
  #lookedAt = -Infinity

  /** @param mountNamespace inode number of the process's mount namespace */
  nameOf(userId: number, mountNamespace: number): string | undefined {
    if (mountNamespace !== this.#ownNamespace) return undefined
    this.#refresh()
    return this.#names.get(userId)
  }

  #refresh(): void {
    const now = performance.now()
    if (now - this.#lookedAt < LOOK_AGAIN_MS) return
    this.#lookedAt = now
    try {
      const { mtimeMs, size } = statSync(PASSWD)
      if (mtimeMs === this.#changedAt || size > PASSWD_BYTES_MAX) return
      this.#names = namesIn(readFileSync(PASSWD, 'utf8'))
      this.#changedAt = mtimeMs
    } catch {
      // No such file: users have numbers only.
    }
  }
}

/** passwd(5): name, password, uid, ...; the first of several names of one number counts, as for getpwuid(3). */
export function namesIn(passwd: string): Map<number, string> {
  const names = new Map<number, string>()
  for (const line of passwd.split('\n')) {
    const [name, , id] = line.split(':')
    if (name === undefined || name === '' || name.startsWith('#') || id === undefined || !/^\d+$/.test(id)) continue
    if (!names.has(Number(id))) names.set(Number(id), name)
  }
  return names
}

/** Inode number of the mount namespace; 0 when it cannot be told. */
function mountNamespaceOf(pid: string): number {
  try {
    return Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/mnt`))?.[0] ?? 0)
  } catch {
    return 0
  }
}
