import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

let made = 0

/** Network namespaces of one test, with names nobody else has; all go when it ends, and their interfaces with them. */
export class Namespaces implements Disposable {
  readonly #names = new Map<string, string>()

  constructor(...names: readonly string[]) {
    for (const name of names) {
      const full = `lt${process.pid}-${++made}${name}`
      run('ip', ['netns', 'add', full])
      this.#names.set(name, full)
      this.ip(name, 'link set lo up')
      // Neighbour and router discovery would mix packets of their own into a test's counts.
      this.exec(name, 'sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0', 'net.ipv6.conf.all.accept_dad=0')
    }
  }

  /** The full name of a namespace. */
  of(name: string): string {
    const full = this.#names.get(name)
    if (full === undefined) throw new Error(`Cannot find the namespace "${name}"`)
    return full
  }

  /** `ip ...` inside a namespace; words are split at spaces. */
  ip(name: string, words: string): void {
    run('ip', ['-n', this.of(name), ...words.split(' ')])
  }

  exec(name: string, program: string, ...args: readonly string[]): string {
    return run('ip', ['netns', 'exec', this.of(name), program, ...args])
  }

  /** Puts frames on an interface as they are, from a packet socket. */
  inject(name: string, device: string, frames: readonly Uint8Array[]): void {
    const script = fileURLToPath(new URL('inject.py', import.meta.url))
    execFileSync('ip', ['netns', 'exec', this.of(name), 'python3', script, device], {
      input: frames.map((frame) => Buffer.from(frame).toString('hex')).join('\n'), stdio: ['pipe', 'pipe', 'pipe'],
    })
  }

  /** A veth pair between two namespaces, up, each end with an IPv4 and an IPv6 address when given a number. */
  veth(a: string, deviceA: string, b: string, deviceB: string, numbers?: readonly [number, number]): void {
    run('ip', ['link', 'add', deviceA, 'netns', this.of(a), 'type', 'veth', 'peer', 'name', deviceB, 'netns', this.of(b)])
    for (const [at, [name, device]] of ([[a, deviceA], [b, deviceB]] as const).entries()) {
      if (numbers !== undefined) {
        this.ip(name, `addr add 10.77.0.${numbers[at]}/24 dev ${device}`)
        this.ip(name, `-6 addr add fd77::${numbers[at]}/64 dev ${device} nodad`)
      }
      this.ip(name, `link set ${device} up`)
    }
  }

  [Symbol.dispose](): void {
    for (const full of this.#names.values()) run('ip', ['netns', 'del', full])
  }
}

function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
