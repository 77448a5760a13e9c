import { execFileSync } from 'node:child_process'

/**
 * Two network namespaces joined by a veth pair: `here` has `veth0` and 10.77.0.1, `there` has `veth1` and
 * 10.77.0.2. Nothing outside sees their traffic, and disposing it removes everything attached inside.
 */
export class NetworkPair implements Disposable {
  readonly here: string
  readonly there: string

  constructor(name: string) {
    this.here = `${name}-here-${process.pid}`
    this.there = `${name}-there-${process.pid}`
    for (const namespace of [this.here, this.there]) ip('netns', 'add', namespace)
    ip('-n', this.here, 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth1', 'netns', this.there)
    for (const [namespace, device, address] of [
      [this.here, 'veth0', '10.77.0.1/24'], [this.there, 'veth1', '10.77.0.2/24'],
    ] as const) {
      ip('-n', namespace, 'address', 'add', address, 'dev', device)
      ip('-n', namespace, 'link', 'set', device, 'up')
      ip('-n', namespace, 'link', 'set', 'lo', 'up')
    }
  }

  /** The path to enter `here` with. */
  get path(): string {
    return `/run/netns/${this.here}`
  }

  /** Sends `count` UDP packets from one of the namespaces. */
  send(from: 'here' | 'there', address: string, port: number, count: number): void {
    const script = 'for ((n = 0; n < $3; n++)); do echo packet > "/dev/udp/$1/$2"; done'
    this.run(from, 'bash', '-c', script, 'send', address, String(port), String(count))
  }

  /** Runs a command in one of the namespaces and returns what it writes. */
  run(where: 'here' | 'there', ...command: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this[where], ...command], { encoding: 'utf8' })
  }

  [Symbol.dispose](): void {
    ip('netns', 'delete', this.here)
    ip('netns', 'delete', this.there)
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args)
}
