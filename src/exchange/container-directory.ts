import { readdir } from 'node:fs/promises'
import type { ContainerNames } from './process-facts.ts'
import type { ContainerQuestion } from './process-table.ts'

export interface ContainerPlaces {
  /** Docker's API, or what speaks it (Podman): the first that answers. */
  readonly sockets: readonly string[]
  /** Where the kubelet keeps the logs of pods: a folder for each, `<namespace>_<name>_<uid>`. */
  readonly podLogs: string
}

const PLACES: ContainerPlaces = {
  sockets: ['/var/run/docker.sock', '/run/podman/podman.sock'],
  podLogs: '/var/log/pods',
}
const ANSWER_MS_MAX = 2000
const ANSWER_BYTES_MAX = 1 << 20
/** Questions on their way at a time; more wait for a place. */
const ASKING_MAX = 64
/** Questions that wait; one more is not asked. As many as the process table keeps the names of containers. */
const WAITING_MAX = 4096
const CONTAINER_ID = /^[0-9a-f]{64}$/
/** A namespace has no underscore (RFC 1123), nor has a pod's name. */
const POD_FOLDER = /^([^_]+)_([^_]+)_([^_]+)$/

/**
 * Names of containers and pods, from this host's container runtime and kubelet. Off the capture's way: whoever asks goes on
 * without, and shows the names once they are here. What does not answer, or says nothing that is understood, is left out.
 *
 * Bound: ASKING_MAX questions on their way, WAITING_MAX behind them.
 */
export class ContainerDirectory {
  readonly #places: ContainerPlaces
  #asking = 0
  #isClosed = false
  /** Those that wait for a place, oldest first; each is told whether it has it. */
  readonly #waiting: ((hasPlace: boolean) => void)[] = []
  /** Questions that were not asked since too many waited. */
  refused = 0

  constructor(places: ContainerPlaces = PLACES) {
    this.#places = places
  }

  /** What could be learned; undefined = nothing. */
  async namesOf({ containerId, podUid }: ContainerQuestion): Promise<ContainerNames | undefined> {
    if (!await this.#takePlace()) return undefined
    try {
      const pod = podUid === undefined ? undefined : await this.#podOf(podUid)
      const container = await this.#inspect(containerId)
      return pod === undefined && container === undefined ? undefined : { ...container, ...pod }
    } finally {
      // The place goes on to the oldest that waits.
      const next = this.#waiting.shift()
      if (next === undefined) this.#asking--
      else next(true)
    }
  }

  /** What waits is not asked any more, nor is what comes. Idempotent. */
  close(): void {
    this.#isClosed = true
    for (const answer of this.#waiting.splice(0)) answer(false)
  }

  async #takePlace(): Promise<boolean> {
    if (this.#isClosed) return false
    if (this.#asking < ASKING_MAX) {
      this.#asking++
      return true
    }
    if (this.#waiting.length >= WAITING_MAX) {
      this.refused++
      return false
    }
    return await new Promise((resolve) => { this.#waiting.push(resolve) })
  }

  async #podOf(uid: string): Promise<ContainerNames | undefined> {
    const folders = await readdir(this.#places.podLogs).catch(() => [])
    for (const folder of folders) {
      const [, podNamespace, podName, podUid] = POD_FOLDER.exec(folder) ?? []
      if (podNamespace !== undefined && podName !== undefined && podUid === uid) return { podNamespace, podName }
    }
    return undefined
  }

  async #inspect(containerId: string): Promise<ContainerNames | undefined> {
    if (!CONTAINER_ID.test(containerId)) return undefined
    for (const socketPath of this.#places.sockets) {
      const text = await get(socketPath, `/containers/${containerId}/json`).catch(() => undefined)
      const names = text === undefined ? undefined : namesIn(text)
      if (names !== undefined) return names
    }
    return undefined
  }
}

/** Docker Engine API, ContainerInspect: Config.Image is the image as it was asked for, Name begins with a slash. */
function namesIn(text: string): ContainerNames | undefined {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof answer !== 'object' || answer === null) return undefined
  const { Name: name, Config: config } = answer as { Name?: unknown; Config?: { Image?: unknown } | null }
  const image = config?.Image
  return {
    ...(typeof image === 'string' && image !== '' ? { image } : {}),
    ...(typeof name === 'string' && name !== '' ? { name: name.replace(/^\//, '') } : {}),
  }
}

/** The body of a 200 answer. @throws {Error} for every other, for one over ANSWER_BYTES_MAX, and after ANSWER_MS_MAX */
async function get(socketPath: string, path: string): Promise<string> {
  const { request } = await import('node:http') // 2 MiB that a host without containers does without
  return await new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, signal: AbortSignal.timeout(ANSWER_MS_MAX) }, (answer) => {
      const chunks: Buffer[] = []
      let bytes = 0
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > ANSWER_BYTES_MAX) asked.destroy(new Error('the answer is too long'))
      })
      answer.on('error', reject)
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(chunks).toString())
        else reject(new Error(`the answer was ${answer.statusCode}`))
      })
    })
    asked.on('error', reject)
    asked.end()
  })
}
