import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

/** What the figures were taken on. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly system: string
  readonly node: string
  /** Debian packages and their versions. */
  readonly packages: Readonly<Record<string, string>>
  /** The commit of Lintel, with "+" when files were changed since. */
  readonly commit: string
  /** Processes that wanted to run, on average over the minute before the bench began. Above 0.5 the machine was not quiet. */
  readonly loadBefore: number
}

export function describeMachine(packages: readonly string[]): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    system: /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    node: process.version,
    packages: Object.fromEntries(packages.flatMap((name) => {
      const version = output('dpkg-query', ['-W', '-f', '${Version}', name])
      return version === '' ? [] : [[name, version]]
    })),
    commit: output('git', ['describe', '--always', '--dirty=+']) || 'unknown',
    loadBefore: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
  }
}

/** One line for people. */
export function machineLine(machine: Machine): string {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`).join(', ')
  return `Machine: ${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}, Linux ${machine.kernel}, `
    + `Node ${machine.node}; load before the run ${machine.loadBefore}; Lintel ${machine.commit}; ${packages}.`
}

function output(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}
