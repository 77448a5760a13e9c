import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The Debian package of each command that a table or a tool needs. tools/setup.sh installs the same. */
const PACKAGES = new Map([
  ['nginx', 'nginx-light'], ['wrk', 'wrk'], ['h2load', 'nghttp2-client'], ['openssl', 'openssl'], ['bpftool', 'bpftool'],
  ['clang-19', 'clang-19'], ['zstd', 'zstd'], ['tcpdump', 'tcpdump'], ['tshark', 'tshark'], ['httpry', 'httpry'],
  ['ngrep', 'ngrep'], ['tcpflow', 'tcpflow'], ['softflowd', 'softflowd'], ['nfcapd', 'nfdump'], ['nfdump', 'nfdump'],
])

/** Throws with the command that installs what is missing. */
export function requireCommands(commands: Iterable<string>): void {
  const missing = [...new Set(commands)].filter((command) => !isInstalled(command))
  if (missing.length === 0) return
  const packages = missing.map((command) => PACKAGES.get(command) ?? command)
  throw new Error(`Cannot run without ${missing.join(', ')}; run "make bench", which installs them, `
    + `or: apt-get install --no-install-recommends ${packages.join(' ')}`)
}

function isInstalled(command: string): boolean {
  if (command.includes('/')) return isExecutable(command)
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => isExecutable(join(folder, command)))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The packages of these commands, for the description of the machine. */
export function packagesOf(commands: Iterable<string>): string[] {
  return [...new Set([...commands].flatMap((command) => PACKAGES.get(command) ?? []))]
}
