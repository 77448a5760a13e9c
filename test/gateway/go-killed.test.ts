import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { keysOf, mapOf } from './testing/kernel-objects.ts'
import { Lintel } from './testing/lintel.ts'
import { goServer, TlsFolder } from './testing/tls-peers.ts'

const PORT = 18_549
const CONNECTIONS = 20
/** Where a key of the map has its process (struct goroutine_key in bpf/tls_go.h). */
const KEY_PROCESS = 8
let folder: TlsFolder

before(async () => { folder = await TlsFolder.make() })
after(() => { folder.remove() })

/** A connection of which the server has answered a request, and waits for the next. */
async function idleConnection(port: number): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  socket.on('error', () => {}) // its server is killed
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(socket, 'data')
  return socket
}

/** How many goroutines of a process are inside of calls, as the kernel's map says. */
function goroutinesOf(map: number, processId: number): number {
  return keysOf(map).filter((key) => key.readUInt32LE(KEY_PROCESS) === processId).length
}

test('a Go program that is killed inside of calls leaves nothing in the kernel; another one keeps its own', async () => {
  const binary = await folder.buildGo('go-peer')
  const lintel = await Lintel.start(['--port', String(PORT), '--port', String(PORT + 1)])
  const servers = [await goServer(folder, binary, PORT), await goServer(folder, binary, PORT + 1)] as const
  const sockets: TLSSocket[] = []
  try {
    const map = mapOf(lintel.process.pid, 'goroutines')
    for (const [index, { pid }] of servers.entries()) {
      // A call that began before the program was probed is not known.
      for (let tries = 0; goroutinesOf(map, pid) < CONNECTIONS; tries++) {
        assert.ok(tries < 20 * CONNECTIONS, 'goroutines that read are seen')
        sockets.push(await idleConnection(PORT + index))
      }
    }
    const [killed, other] = servers
    await killed.stop('SIGKILL')
    await lintel.process.until(() => goroutinesOf(map, killed.pid) === 0, 'end of the goroutines')
    assert.ok(goroutinesOf(map, other.pid) >= CONNECTIONS)
  } finally {
    for (const socket of sockets) socket.destroy()
    for (const server of servers) await server.stop('SIGKILL')
    await lintel.stop()
    lintel.remove()
  }
})
