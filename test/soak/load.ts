import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { CLIENTS, STEADY } from './clients.ts'
import type { ClientKind, Programs } from './clients.ts'
import type { MortalServer } from './servers.ts'
import type { Tally } from './tally.ts'

const CLIENTS_MAX = 24
/** Of the clients, and when. */
const KILLED_SHARE = 0.15
const KILLED_MS_MAX = 1200
const CLIENT_MS_MAX = 60_000

/** Starts clients at a bounded rate, kills some in the midst, and tells the tally what they completed. */
export class Load {
  started = 0
  killed = 0
  readonly byKind = new Map<string, number>()
  /** Clients that did not end within a minute, by themselves or killed. */
  hung = 0
  readonly #tally: Tally
  readonly #servers: readonly MortalServer[]
  readonly #programs: Programs
  readonly #random: () => number
  readonly #running = new Map<ChildProcess, Promise<void>>()

  constructor(tally: Tally, servers: readonly MortalServer[], programs: Programs, random: () => number) {
    this.#tally = tally
    this.#servers = servers
    this.#programs = programs
    this.#random = random
  }

  /** Comes back when the signal is given, and the last client has ended. */
  async run(perSecond: number, signal: AbortSignal): Promise<void> {
    const steady = this.#steady(signal)
    while (!signal.aborted) {
      if (this.#running.size < CLIENTS_MAX) this.#start(this.#choose(), this.#random() < KILLED_SHARE)
      await delay((0.5 + this.#random()) * 1000 / perSecond)
    }
    await steady
    await Promise.all(this.#running.values())
  }

  /** Ends what still runs, at once. */
  abandon(): void {
    for (const child of this.#running.keys()) child.kill('SIGKILL')
  }

  async #steady(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const ended = this.#start(STEADY, this.#random() < KILLED_SHARE)
      await Promise.all([ended, delay(100)])
    }
  }

  #choose(): ClientKind {
    const sum = CLIENTS.reduce((total, { share }) => total + share, 0)
    let at = this.#random() * sum
    return CLIENTS.find(({ share }) => (at -= share) < 0) ?? CLIENTS[0]!
  }

  #start(kind: ClientKind, isKilled: boolean): Promise<void> | undefined {
    const servers = this.#servers.filter(({ name, isUp }) => isUp && kind.servers.includes(name))
    const server = servers[Math.floor(this.#random() * servers.length)]
    if (server === undefined) return undefined
    const run = this.#tally.begin(kind.name, server.port, kind.name.startsWith('curl'))
    const [command, ...words] = kind.command(run, this.#programs)
    const child = spawn(command!, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    run.processId = child.pid ?? 0
    this.started++
    this.byKind.set(kind.name, (this.byKind.get(kind.name) ?? 0) + 1)
    const since = performance.now()
    const killer = isKilled ? setTimeout(() => { child.kill('SIGKILL') }, this.#random() * KILLED_MS_MAX) : undefined
    const guard = setTimeout(() => { child.kill('SIGKILL'); this.hung++ }, CLIENT_MS_MAX)
    const ended = outputOf(child).then(({ output, code }) => {
      clearTimeout(killer)
      clearTimeout(guard)
      const wasKilled = child.signalCode === 'SIGKILL'
      if (wasKilled) this.killed++
      const now = performance.now()
      const troubles = server.troubles.during(since, now)
      run.excuse = [wasKilled ? 'client killed' : '', troubles.any ? 'server killed or reloaded' : ''].filter((text) => text !== '').join(', ')
      run.serverDied = troubles.death
      const completed = kind.completed?.(run, output, code) ?? [...output.matchAll(/^done (\S+).*\n/gm)].map((match) => match[1]!)
      for (const id of completed) this.#tally.done(id)
      this.#tally.end(run, now, failuresOf(kind, output, code, completed.length))
    }).finally(() => { this.#running.delete(child) })
    this.#running.set(child, ended)
    return ended
  }
}

/** What a client says of failed requests; one that ended badly, or with fewer than all, is a failure as well. */
function failuresOf(kind: ClientKind, output: string, code: number | null, completed: number): string[] {
  const said = [...output.matchAll(/^failed .*$/gm)].map((match) => `${kind.name}: ${match[0]}`)
  if (said.length > 0) return said
  const isShort = kind === STEADY ? completed === 0 || /Socket errors|Non-2xx/.test(output) : completed < kind.requests
  return code !== 0 || isShort ? [`${kind.name}: ended with ${code}, ${completed} of ${kind.requests}: ${output.slice(-300)}`] : []
}

async function outputOf(child: ChildProcess): Promise<{ output: string; code: number | null }> {
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (data: Buffer) => { output += data.toString('latin1') })
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => { resolve({ output, code }) })
  })
}
