/** A client of the example's protocol: `node client.ts [port] [requests]`. It does not wait for an answer before it asks again. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { decodeFrames, encodeFrame, REQUEST } from './frame.ts'
import type { Frame } from './frame.ts'

export interface Ask {
  readonly line: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** Sends all requests at once over one connection. @returns the answers in the order in which they came */
export async function ask(port: number, requests: readonly Ask[]): Promise<Frame[]> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const answers: Frame[] = []
  let held: Buffer = Buffer.alloc(0)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.on('error', reject)
  socket.on('close', () => { reject(new Error(`The server closed after ${answers.length} of ${requests.length} answers`)) })
  socket.on('data', (data) => {
    const bytes = Buffer.concat([held, data])
    const { frames, used } = decodeFrames(bytes)
    held = bytes.subarray(used)
    answers.push(...frames)
    if (answers.length === requests.length) resolve()
  })
  requests.forEach(({ line, headers = {}, body = Buffer.alloc(0) }, index) => {
    socket.write(encodeFrame({ type: REQUEST, id: index + 1, line, headers, body }))
  })
  try {
    await promise
  } finally {
    socket.end()
  }
  return answers
}

if (import.meta.main) {
  const port = Number(process.argv[2] ?? 9400)
  const count = Number(process.argv[3] ?? 5)
  const requests = Array.from({ length: count }, (_, index) => ({ line: `GET /items/${index + 1}`, headers: { 'user-agent': 'example/1.0' } }))
  for (const { id, line } of await ask(port, requests)) console.log(`${id}: ${line}`)
}
