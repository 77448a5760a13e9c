type Result = Readonly<Record<string, unknown>>
interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Result
  readonly result?: Result
  readonly error?: { readonly message: string }
}

/** More than once: what a finalizer lets go is garbage of the next collection. */
const LIVE = `(() => {
  const v8 = process.getBuiltinModule('node:v8')
  v8.setFlagsFromString('--expose-gc')
  const collect = process.getBuiltinModule('node:vm').runInNewContext('gc')
  for (let times = 0; times < 3; times++) collect()
  const { used_heap_size, external_memory, malloced_memory } = v8.getHeapStatistics()
  return used_heap_size + external_memory + malloced_memory
})()`

export const LIVE_HEAPS = { main: 'heap_main', workers: 'heap_workers' } as const

/** For Node's environment: the process and its workers can be looked into, on a port of their own choice. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' }

/**
 * Looks into a process that was started `INSPECTED`, by the protocol of Chrome's DevTools: its main thread, and each worker through
 * it (domain NodeWorker). What is resident tells garbage and leak apart only after hours; what lives after a full collection at once.
 */
export class HeapInspector {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, { resolve: (result: Result) => void; reject: (error: Error) => void }>()
  readonly #workers = new Set<string>()
  #id = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.onmessage = ({ data }) => { this.#take(JSON.parse(data as string) as Message) }
    socket.onclose = () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the inspected process has closed its inspector'))
    }
  }

  /** @param said what the process has said on its standard error so far: the address is in it */
  static async connect(said: string): Promise<HeapInspector> {
    const address = /^Debugger listening on (ws:\S+)$/m.exec(said)?.[1]
    if (address === undefined) throw new Error('Cannot look into the process: it has not told the address of its inspector')
    const socket = new WebSocket(address)
    await new Promise((resolve, reject) => {
      socket.onopen = resolve
      socket.onerror = () => { reject(new Error(`Cannot connect to the inspector at ${address}`)) }
    })
    const inspector = new HeapInspector(socket)
    await inspector.#send('NodeWorker.enable', { waitForDebuggerOnStart: false })
    return inspector
  }

  /** Bytes that live in the main thread and in all workers once their garbage is collected, by name. */
  async live(): Promise<[name: string, bytes: number][]> {
    let workers = 0
    for (const session of this.#workers) workers += await this.#evaluate(LIVE, session)
    return [[LIVE_HEAPS.main, await this.#evaluate(LIVE)], [LIVE_HEAPS.workers, workers]]
  }

  /** A capture worker never returns to its event loop: what V8 would do in a task of it (HeapProfiler.collectGarbage) is never done. */
  async #evaluate(expression: string, session?: string): Promise<number> {
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', { expression, returnByValue: true }, session)
    if (exceptionDetails !== undefined) throw new Error(`Cannot evaluate in the inspected process: ${JSON.stringify(exceptionDetails)}`)
    return (result as { value: number }).value
  }

  close(): void {
    this.#socket.close()
  }

  async #send(method: string, params: object = {}, session?: string): Promise<Result> {
    const id = ++this.#id
    const message = { id, method, params }
    return await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#socket.send(JSON.stringify(session === undefined ? message : {
        id: ++this.#id, method: 'NodeWorker.sendMessageToWorker', params: { sessionId: session, message: JSON.stringify(message) },
      }))
    })
  }

  #take({ id, method, params, result, error }: Message): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(result ?? {})
      else waiting?.reject(new Error(error.message))
    } else if (method === 'NodeWorker.attachedToWorker') {
      this.#workers.add(params!['sessionId'] as string)
    } else if (method === 'NodeWorker.detachedFromWorker') {
      this.#workers.delete(params!['sessionId'] as string)
    } else if (method === 'NodeWorker.receivedMessageFromWorker') {
      this.#take(JSON.parse(params!['message'] as string) as Message)
    }
  }
}
