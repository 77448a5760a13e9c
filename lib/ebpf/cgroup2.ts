import { readFileSync } from 'node:fs'

/**
 * Where cgroup v2 is mounted: `/sys/fs/cgroup` on most systems, a folder beside version 1 on others;
 * `undefined` when it is not. Reads the mount table, since the place is a matter of the distribution.
 */
export function cgroup2MountPath(
  mountinfo: string = readFileSync('/proc/self/mountinfo', 'utf8'),
): string | undefined {
  for (const line of mountinfo.split('\n')) {
    // id parent major:minor root mount-point options [optional fields] - type source options (proc(5))
    const [before, after] = line.split(' - ')
    if (after?.split(' ')[0] !== 'cgroup2') continue
    const path = before?.split(' ')[4]
    if (path !== undefined) return path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)))
  }
  return undefined
}
