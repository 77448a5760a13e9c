import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

import { ByteMemory } from '../../lib/bytes/mod.ts'
import { bpfStats } from '../../lib/ebpf/mod.ts'
import { EVENT_PROCESS, PACKET_EVENT, PROCESS_INFO } from '../../src/capture/events.gen.ts'
import { KernelSource } from '../../src/capture/kernel/mod.ts'
import { ProcessPrograms, processSupport } from '../../src/capture/kernel/process-programs.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { ProgramBench } from './testing/program-bench.ts'

const PORT = 18171
const ROOM_BYTES = 1 << 20
const FIN = 1
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

interface Seen {
  /** Processes of this process's pid that were told. */
  readonly told: number[]
  /** Of each packet, by the port that sent it. */
  readonly packets: { readonly port: number; readonly process: number; readonly cookie: bigint; readonly isFin: boolean }[]
}

class Watch {
  readonly memory = new ByteMemory()
  readonly source = new KernelSource({ memory: this.memory, interfaces: ['lo'], filters: { ports: [[PORT, PORT]] } })
  readonly #pointer = this.memory.reserve(ROOM_BYTES)

  seen(): Seen {
    const seen: Seen = { told: [], packets: [] }
    const { view } = this.memory
    for (let length = this.source.fill(this.#pointer, ROOM_BYTES); length > 0; length = this.source.fill(this.#pointer, ROOM_BYTES)) {
      for (let at = this.#pointer; at < this.#pointer + length;) {
        const bytes = view.getUint32(at, true) & 0x3fffffff
        const event = at + 8
        const info = event + PACKET_EVENT.bytes
        if (view.getUint8(event + PACKET_EVENT.kind) !== EVENT_PROCESS) {
          seen.packets.push({
            port: view.getUint16(event + PACKET_EVENT.source_port, true), process: view.getUint32(event + PACKET_EVENT.process, true),
            cookie: view.getBigUint64(event + PACKET_EVENT.socket_cookie, true),
            isFin: (view.getUint8(event + PACKET_EVENT.tcp_flags) & FIN) !== 0,
          })
        } else if (view.getUint32(info + PROCESS_INFO.pid, true) === process.pid) {
          seen.told.push(view.getUint32(info + PROCESS_INFO.process, true))
        }
        at = (event + bytes + 7) & ~7
      }
    }
    return seen
  }
}

/** A client and a server in this process. */
async function conversation(): Promise<{ client: Socket; close: () => void }> {
  const server = createServer((socket) => { socket.on('data', () => { socket.write(ANSWER) }) }).listen(PORT, '127.0.0.1')
  await once(server, 'listening')
  const client = connect(PORT, '127.0.0.1')
  await once(client, 'connect')
  return { client, close: () => { client.destroy(); server.close() } }
}

/** One request and its answer, both ends in this process. */
async function exchange(client: Socket): Promise<void> {
  client.write(REQUEST)
  await once(client, 'data')
}

kernelTest('a process is told once, before its packets; again when it was forgotten', async () => {
  const watch = new Watch()
  using source = watch.source
  assert.deepEqual(source.processes.answer, 'yes')
  const { client, close } = await conversation()
  await exchange(client)
  const first = watch.seen()
  assert.equal(first.told.length, 1)
  const sent = first.packets.filter(({ port }) => port === client.localPort)
  const answered = first.packets.filter(({ port, process }) => port === PORT && process !== 0)
  assert.ok(sent.length >= 2 && answered.length >= 1)
  for (const packet of [...sent, ...answered]) assert.equal(packet.process, first.told[0])
  assert.deepEqual([new Set(sent.map(({ cookie }) => cookie)).size, new Set(answered.map(({ cookie }) => cookie)).size], [1, 1])
  assert.notEqual(sent[0]!.cookie, answered[0]!.cookie)

  await exchange(client)
  assert.deepEqual(watch.seen().told, [])

  source.renewProcesses()
  await exchange(client)
  const renewed = watch.seen()
  assert.equal(renewed.told.length, 1)
  assert.notEqual(renewed.told[0], first.told[0])
  for (const { process } of renewed.packets) assert.equal(process, renewed.told[0])
  assert.deepEqual([...source.oddities()].filter(([, count]) => count > 0), [])
  close()
})

kernelTest('a server that closes without an answer is named by its FIN', async () => {
  const watch = new Watch()
  using _source = watch.source
  const server = createServer((socket) => { socket.once('data', () => { socket.destroy() }) }).listen(PORT, '127.0.0.1')
  await once(server, 'listening')
  const client = connect(PORT, '127.0.0.1')
  client.write(REQUEST)
  client.resume()
  await once(client, 'close')
  const { told, packets } = watch.seen()
  const fromServer = packets.filter(({ port, isFin }) => port === PORT && isFin)
  assert.deepEqual(fromServer.map(({ process }) => process), [told[0]])
  server.close()
})

kernelTest('the program for kernels before 6.16 names who has sent, too', async () => {
  using bench = new ProgramBench({ processes: true })
  using programs = ProcessPrograms.attach(bench.object, undefined, { afterCall: true })
  using _stats = bpfStats.enable()
  const { client, close } = await conversation()
  await exchange(client)
  const sent = programs.programs().find(({ name }) => name === 'lintel_sent')!
  assert.ok(sent.info().runCount >= 2n, 'each end has sent')
  assert.ok(programs.told >= 1)
  assert.deepEqual(programs.oddities().filter(([, count]) => count > 0), [])
  close()
})

const lost = (programs: ProcessPrograms, reason: string): number => new Map(programs.oddities()).get(`process_lost_${reason}`) ?? 0

kernelTest('more new processes in a second than the bound are not told, and counted', async () => {
  using bench = new ProgramBench({ processes: true })
  using programs = ProcessPrograms.attach(bench.object, undefined, { perSecond: 0 })
  const { client, close } = await conversation()
  await exchange(client)
  assert.equal(programs.told, 0)
  assert.ok(lost(programs, 'rate') >= 3, 'connect() and each send asks again')
  close()
})

kernelTest('a process that finds no room in the ring is counted, and told once there is room', async () => {
  using bench = new ProgramBench({ processes: true, ringBytes: 1 << 16 })
  using programs = ProcessPrograms.attach(bench.object)
  const { client, close } = await conversation()
  for (let turn = 0; turn < 200 && lost(programs, 'ring_full') === 0; turn++) {
    programs.renew()
    await exchange(client)
  }
  assert.ok(lost(programs, 'ring_full') > 0)
  const { told } = programs
  bench.records()
  await exchange(client)
  assert.ok(programs.told > told)
  close()
})

kernelTest('where packets have no socket, or there is no ring, no process is named, and why is said', async () => {
  assert.match(processSupport({ attach: 'xdp', transport: 'ring' }).reason, /packets have no socket where "xdp" sees them/)
  assert.equal(processSupport({ attach: 'socket', transport: 'ring' }).answer, 'no')
  assert.match(processSupport({ attach: 'tcx', transport: 'perf' }).reason, /ring buffer/)
})
