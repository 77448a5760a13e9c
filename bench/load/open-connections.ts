/**
 * Keep-alive connections that stay open: `node open-connections.ts PORT ADDRESS`. Each line on standard input, COUNT NAME, says
 * how many are to be open; when they are, each new one with one request for /open-NAME answered, the line comes back on standard
 * output. It ends when standard input does, or by a signal. Its connections come from ports 20000 up of that address, and are
 * reset at the end, so that none waits in the kernel.
 *
 * @module
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'

const FIRST_PORT = 20_000
const UNDER_WAY_MAX = 200

const port = Number(process.argv[2])
const localAddress = process.argv[3]!
const sockets: Socket[] = []

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, close)
for await (const line of createInterface({ input: process.stdin })) {
  const [count, name] = line.split(' ')
  await openUpTo(Number(count), name!)
  console.log(line)
}
close()

async function openUpTo(count: number, name: string): Promise<void> {
  const request = [`GET /open-${name} HTTP/1.1`, 'Host: 127.0.0.1', 'User-Agent: bench/1.0', 'Accept: application/json', '', ''].join('\r\n')
  const worker = async (): Promise<void> => {
    while (sockets.length < count) await open(sockets.length, request)
  }
  await Promise.all(Array.from({ length: UNDER_WAY_MAX }, worker))
}

async function open(index: number, request: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, localAddress, localPort: FIRST_PORT + index })
  sockets.push(socket)
  await new Promise<void>((resolve) => {
    socket.on('error', fail)
    socket.once('close', () => { fail(new Error('the gateway closed it')) })
    socket.once('connect', () => { socket.write(request) })
    socket.once('data', () => { resolve() })
  })
}

function fail(error: Error): void {
  console.error(`Cannot hold connection ${sockets.length}: ${error.message}`)
  process.exit(1)
}

function close(): void {
  for (const socket of sockets) socket.removeAllListeners('close').resetAndDestroy()
  setImmediate(() => process.exit(0))
}
