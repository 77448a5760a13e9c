/** The wall clock is set forward and back while exchanges are under way: durations stay right, times follow the clock. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel } from './testing/lintel.ts'
import { RawClient, RawServer } from './testing/raw-peer.ts'

const PORT = 18117
const HOUR_MS = 3_600_000
const ANSWER_MS = 300

function setClock(epochMs: number): void {
  execFileSync('date', ['-s', `@${(epochMs / 1000).toFixed(3)}`])
}

test('the clock jumps an hour forward and back: durations stay right, later times are the clock\'s', { timeout: 60_000 }, async () => {
  const server = await RawServer.start(PORT, (socket) => {
    socket.on('data', () => { setTimeout(() => { socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok') }, ANSWER_MS) })
  })
  const lintel = await Lintel.start(['--port', String(PORT), '--interface', 'lo'])
  const ask = async (path: string): Promise<void> => {
    const client = await RawClient.connect(PORT)
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await client.until('ok')
    client.close()
  }
  try {
    await ask('/before')
    const wall = Date.now()
    const monotonic = performance.now()
    const asked: Promise<void>[] = []
    try {
      asked.push(ask('/over-the-jump'))
      await delay(100)
      setClock(wall + HOUR_MS + performance.now() - monotonic)
      await delay(100)
      asked.push(ask('/over-the-return'))
      await delay(250)
    } finally {
      setClock(wall + performance.now() - monotonic)
    }
    await Promise.all(asked)
    await delay(100)
    const asks = Date.now()
    await ask('/after')
    const paths = ['/before', '/over-the-jump', '/over-the-return', '/after']
    for (const path of paths) {
      const [record] = await lintel.exchanges(path)
      for (const seconds of [record?.duration, record?.time_to_first_byte]) {
        assert.ok(seconds! * 1000 >= ANSWER_MS - 5 && seconds! * 1000 < 10_000, `${path} took ${seconds} s`)
      }
      if (path === '/after') assert.ok(Math.abs(Date.parse(record!.time) - asks) < 1000, `${record!.time} is not ${new Date(asks).toISOString()}`)
    }
    assert.match(await lintel.stop(), /adds up/)
    const sequences = (await lintel.records()).map((record) => record.event?.sequence)
    assert.deepEqual(sequences, sequences.map((_, index) => index + 1))
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await server.stop()
  }
})
