/** A server of the example's protocol: `node server.ts [port]`. It answers in any order, as such servers do. */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { decodeFrames, encodeFrame, RESPONSE } from './frame.ts'
import type { Frame } from './frame.ts'

const SLOW_MS = 5

/** Resolves when it listens. */
export async function startServer(port: number): Promise<Server> {
  const server = createServer((socket) => {
    let held: Buffer = Buffer.alloc(0)
    socket.on('data', (data) => {
      const bytes = Buffer.concat([held, data])
      const { frames, used } = decodeFrames(bytes)
      held = bytes.subarray(used)
      for (const frame of frames) answer(socket, frame)
    })
    socket.on('error', () => { socket.destroy() })
  })
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) })
  return server
}

function answer(socket: Socket, { id, line, body }: Frame): void {
  const [method = '', path = ''] = line.split(' ')
  const isKnown = method === 'GET' || method === 'PUT'
  const response = encodeFrame({
    type: RESPONSE,
    id,
    line: isKnown ? 'ok' : 'unknown_method',
    headers: { 'content-type': 'text/plain', 'x-body-bytes': String(body.length) },
    body: Buffer.from(isKnown ? `${method} ${path}\n` : ''),
  })
  // Every third answer is late, so that others overtake it.
  setTimeout(() => { socket.write(response) }, id % 3 === 0 ? SLOW_MS : 0)
}

if (import.meta.main) {
  const port = Number(process.argv[2] ?? 9400)
  await startServer(port)
  console.log(`listening on 127.0.0.1:${port}`)
}
