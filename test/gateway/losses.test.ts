/** What cannot be kept is counted by its reason, never guessed; what can be kept goes on. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CONNECTION_LIMITS } from '../../src/connection/mod.ts'
import { Gateway } from './testing/gateway.ts'
import { Lintel, LINTEL } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { run } from './testing/process.ts'
import { RawClient } from './testing/raw-peer.ts'
import { wrk } from './testing/wrk.ts'

const PORT = 18112
const URL = `http://127.0.0.1:${PORT}/`

const BEFORE = ['before-1', 'before-2', 'before-3', 'before-4']
const AFTER = ['after-1', 'after-2', 'after-3']

async function withGateway(act: (gateway: Gateway) => Promise<void>): Promise<void> {
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${PORT}`], location: 'add_header X-Echo $http_x_request_id; return 200 "hello";' })
  try {
    await act(gateway)
  } finally {
    await gateway.stop()
  }
}

function count(text: string, name: string): number {
  return Number(new RegExp(`\\b${name} (\\d+)`).exec(text)?.[1] ?? 0)
}

test('ring full while the agent stands still: losses counted, nothing paired wrongly, connections recover', { timeout: 60_000 }, async () => {
  await withGateway(async () => {
    const lintel = await Lintel.start(['--port', String(PORT), '--interface', 'lo', '--ring-bytes', '1MiB'])
    try {
      const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(PORT)))
      for (const round of BEFORE) await askAll(clients, round)
      const load = wrk({ url: URL, seconds: 3, connections: 16 })
      await delay(500)
      lintel.process.child.kill('SIGSTOP')
      await delay(700)
      await askAll(clients, 'while-full')
      lintel.process.child.kill('SIGCONT')
      const result = await load
      assert.equal(result.errors, '', 'the gateway noticed nothing')
      await delay(300)
      for (const round of AFTER) {
        await askAll(clients, round)
        // A hole that is acknowledged is waited for that long (connection-limits.ts).
        await delay(CONNECTION_LIMITS.acknowledgedMsMax + 100)
      }
      const newcomer = await RawClient.connect(PORT)
      await askAll([newcomer], 'new')
      const totals = await lintel.stop()
      for (const client of [...clients, newcomer]) client.close()
      const records = await lintel.records()
      assert.match(totals, /adds up/)
      assert.ok(count(totals, 'ring_full') > 0, totals)
      const answered = records.filter((record) => record.http?.response?.status_code !== undefined && record.http.request?.method !== undefined)
      const wrong = answered.filter((record) => echo(record) !== id(record))
      assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${answered.length} have another one's response`)
      assert.equal(new Set(answered.map(id)).size, answered.length, 'none twice')
      assert.ok(answered.length < result.requests, 'some are missing, so the ring was full')
      const requests = new Set(records.map(id))
      const responses = new Set(records.map(echo))
      const paired = new Set(answered.map(id))
      for (const n of clients.keys()) {
        for (const round of BEFORE) assert.ok(paired.has(`${round}-${n}`))
        assert.ok(!paired.has(`while-full-${n}`), 'the ring was full')
        for (const round of AFTER) assert.ok(requests.has(`${round}-${n}`) && responses.has(`${round}-${n}`), `${round}-${n} is logged`)
        assert.ok(paired.has(`${AFTER.at(-1)}-${n}`), `${n} is paired again`)
      }
      assert.ok(paired.has('new-0'))
      const lost = records.filter((record) => record.event?.name === 'records_lost').reduce((sum, record) => sum + record.event!.count!, 0)
      assert.equal(lost, count(totals, 'ring_full'), 'the decoder was told of each loss')
      const marked = records.filter((record) => record.kind === 'exchange' && record.marks !== undefined)
      assert.ok(marked.length > 0)
      const reasons = /lost by the capture|not known which request it answers|unknown: bytes are missing|likely, not proven/
      for (const record of marked) assert.match(JSON.stringify(record.marks), reasons)
    } finally {
      await lintel.process.stop('SIGKILL')
      lintel.remove()
    }
  })
})

/** One request on each connection, all answered when this resolves. */
async function askAll(clients: readonly RawClient[], round: string): Promise<void> {
  for (const [n, client] of clients.entries()) {
    client.received = ''
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: ${round}-${n}\r\n\r\n`)
  }
  for (const client of clients) await client.until('hello')
}

function id(record: LoggedRecord): string | undefined {
  return record.http?.request?.header?.['x-request-id']?.[0]
}

function echo(record: LoggedRecord): string | undefined {
  return record.http?.response?.header?.['x-echo']?.[0]
}

test('disk full: what does not fit is dropped and counted, whole lines only, and with room it goes on', { timeout: 60_000 }, async () => {
  const mount = mkdtempSync(join(tmpdir(), 'lintel-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', mount])
  try {
    const path = join(mount, 'full.ndjson')
    await withGateway(async () => {
      const lintel = await Lintel.configured((directory) => `
outputs:
  - {type: file, path: ${path}, queue_bytes: 1MiB}
  - {type: file, path: ${join(directory, 'log.ndjson')}, queue_bytes: 256MiB}
`, ['--port', String(PORT), '--interface', 'lo'])
      try {
        writeFileSync(join(mount, 'ballast'), Buffer.alloc(3 * 1024 * 1024))
        await wrk({ url: URL, seconds: 1 })
        await lintel.process.until(() => /error: Cannot write to ".*full\.ndjson": no space left on the disk; free some/.test(lintel.process.errors), 'the error')
        rmSync(join(mount, 'ballast'))
        for (let tries = 0; tries < 100 && !readFileSync(path, 'utf8').includes('/has-room'); tries++) {
          await run('curl', ['-sf', `${URL}has-room`])
          await delay(100)
        }
        assert.equal(await lintel.process.stop('SIGTERM'), 1, 'an output that had to drop records is no success')
        const said = lintel.process.errors
        assert.match(said, /adds up/)
        assert.match(said, /writing to ".*full\.ndjson" works again/)
        const [, dropped, onDisk, inQueue = '0'] = /full\.ndjson: written \d+, dropped (\d+) \(disk full (\d+)(?:, queue full (\d+))?\)/.exec(said) ?? []
        // While the disk is full, what comes faster than it is tried again finds the queue full.
        assert.ok(Number(onDisk) > 0 && Number(dropped) === Number(onDisk) + Number(inQueue), said)
        const text = readFileSync(path, 'utf8')
        for (const line of text.trimEnd().split('\n')) assert.equal((JSON.parse(line) as LoggedRecord).server?.port, PORT)
        assert.ok(text.includes('/has-room'), 'with room again it goes on')
        const records = await lintel.records()
        assert.ok(records.length > text.split('\n').length, 'the other output has all of it')
      } finally {
        await lintel.process.stop('SIGKILL')
        lintel.remove()
      }
    })
  } finally {
    execFileSync('umount', [mount])
    rmSync(mount, { recursive: true, force: true })
  }
})

test('a file that cannot be written: a clear error, exit code 1, nothing attached', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-unwritable-'))
  try {
    mkdirSync(join(folder, 'is-a-folder'))
    for (const [path, said] of [
      [join(folder, 'is-a-folder'), /Cannot open ".*is-a-folder" for writing: it is a folder; add a file name/],
      ['/proc/lintel/x.ndjson', /Cannot .*"\/proc\/lintel.*/],
    ] as const) {
      const failure = await run(LINTEL, ['run', '--port', String(PORT), '--interface', 'lo', '--metrics', 'off', '--output', `file:${path}`])
        .then(() => 'it ran', (error: Error) => error.message)
      assert.match(failure, said)
      assert.match(failure, /ended with [12]/)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
