import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { unpack } from '../../../lib/msgpack/mod.ts'
import { RecordingHost } from '../sink.suite.ts'
import { delivery, exchanges, openOutput, range, until } from './exporter.suite.ts'
import { Ping } from './fluent-handshake.ts'
import { streamExporterSuite } from './stream-exporter.suite.ts'
import { fluentConverse, type FluentSecurity } from './testing/fluent-converse.ts'
import { StreamServer } from './testing/stream-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-fluent-'))
after(() => rmSync(folder, { recursive: true, force: true }))
process.env['LINTEL_TEST_KEY'] = 'a shared/key'
process.env['LINTEL_TEST_PASSWORD'] = 'pass"word'
process.env['LINTEL_TEST_WRONG'] = 'another'
const [key, password, wrong] = ['LINTEL_TEST_KEY', 'LINTEL_TEST_PASSWORD', 'LINTEL_TEST_WRONG'].map(env => ({ env })) as [object, object, object]
const security = { sharedKey: 'a shared/key' }
const told = { another: /acknowledges another chunk than the one that was sent/, nonsense: /answers no acknowledgement; is it the forward input of a Fluentd or Fluent Bit/ }

streamExporterSuite({ name: 'fluent', options: { type: 'fluent' }, converse: fluentConverse(false), told })
streamExporterSuite({
  name: 'fluent, gzip and a shared key', options: { type: 'fluent', compression: 'gzip', shared_key: key, user: 'lintel', password, host_name: 'gw-1' },
  converse: fluentConverse(true, { ...security, users: { lintel: 'pass"word' } }), told: { ...told, nonsense: /begins with no HELO/ },
})

async function withServer(has: FluentSecurity | undefined, more: Record<string, unknown>, body: (it: { server: StreamServer, host: RecordingHost, sink: ReturnType<typeof openOutput> }) => Promise<void>): Promise<void> {
  const server = await StreamServer.start(fluentConverse(false, has))
  const host = new RecordingHost()
  const sink = openOutput({
    type: 'fluent', url: server.url, spool: { path: mkdtempSync(join(folder, 'spool-')) }, batch: { records: 10, age: '5ms' }, retry: { max_wait: '20ms' }, drain: '50ms', ...more,
  }, host)
  sink.write(exchanges(0, 30))
  await body({ server, host, sink })
  await sink.close()
  await server.kill()
  assert.equal(server.failed, undefined)
  assert.doesNotMatch(host.logs.join('\n'), /shared\/key|pass"word|another\b(?! chunk)/)
}

for (const [what, has, more, expected] of [
  ['a wrong shared key', security, { shared_key: wrong }, /refuses the shared key or the user \(shared_key mismatch\); look at shared_key/],
  ['a wrong password', { ...security, users: { lintel: 'x' } }, { shared_key: key, user: 'lintel', password }, /username\/password mismatch/],
  ['a user that is missing', { ...security, users: { lintel: 'x' } }, { shared_key: key }, /wants a user: set user and password/],
  ['a shared key that is missing', security, {}, /wants a shared key: set shared_key/],
  ['a server that does not know the key', { ...security, claimedKey: 'guessed' }, { shared_key: key }, /does not know the shared key, so nothing is sent to it/],
  ['a server that asks for no key', undefined, { shared_key: key, timeout: '200ms' }, /says nothing: it asks for no shared key/],
] as const) {
  test(`fluent: ${what} holds the records back, and is told`, () => withServer(has, more, async ({ server, host, sink }) => {
    await until('it is told', () => sink.health().lastError !== undefined, host)
    assert.match(sink.health().lastError as string, expected)
    assert.deepEqual([server.kept.length, delivery(sink).sent, delivery(sink).waitingRecords], [0, 0, 30])
  }))
}

test('fluent: where the server keeps no connections, each batch has its own', () => withServer({ ...security, isKept: false }, { shared_key: key }, async ({ server, host, sink }) => {
  await until('all sent', () => delivery(sink).sent === 30, host)
  assert.deepEqual([server.kept.map(({ number }) => number), server.connections, host.logs], [range(0, 30), 3, []])
}))

test('fluent: records without a time get that of sending; times beyond 32 bits the last that there is', async () => {
  const times: number[] = []
  const { decodeMulti, decodeMultiStream, encode } = await import('@msgpack/msgpack')
  const server = await StreamServer.start(async socket => {
    for await (const message of decodeMultiStream(socket)) {
      const [, entries, { chunk }] = message as [string, Uint8Array, { chunk: string }]
      for (const [time] of decodeMulti(entries) as Iterable<[{ data: Uint8Array }]>) times.push(Buffer.from(time.data).readUInt32BE(0))
      socket.write(encode({ ack: chunk }))
    }
  })
  const host = new RecordingHost()
  const sink = openOutput({ type: 'fluent', url: server.url, spool: { path: join(folder, 'times') }, batch: { age: '5ms' } }, host)
  const before = Math.floor(Date.now() / 1000)
  sink.write({ bytes: Buffer.from('{}\n{"kind":"exchange","time":"2554-07-21T23:34:33.709551615Z"}\n'), count: 2, kinds: [2, 0, 0, 0, 0, 0], outputs: 1 })
  await until('all sent', () => delivery(sink).sent === 2, host)
  await sink.close()
  await server.kill()
  assert.ok((times[0] as number) >= before && (times[0] as number) <= Date.now() / 1000)
  assert.equal(times[1], 0xffff_ffff)
})

test('fluent: what is wrong in a config is told with its place and the mend', () => {
  for (const [more, path, message] of [
    [{ url: 'udp://h:1' }, 'url', /must be tcp:\/\/HOST:PORT or tls:\/\/HOST:PORT/], [{ url: 'tcp://h' }, 'url', /HOST:PORT/],
    [{ user: 'x', shared_key: key }, 'user', /must come with password/], [{ password }, 'password', /must come with user/],
    [{ user: 'x', password }, 'user', /needs shared_key/], [{ shared_key: { env: 'LINTEL_TEST_UNSET' } }, 'shared_key', /which is not set/],
    [{ tag: 'a b' }, 'tag', /no space/], [{ compression: 'zstd' }, 'compression', /none.*gzip/], [{ tls: { ca: '/none' } }, 'tls', /cannot be read/],
    [{ shared_key: 'plain' }, 'shared_key', /\{env: NAME\} or \{file: PATH\}/], [{ sharedkey: key }, '', /[Uu]nrecognized key/],
  ] as const) {
    assert.throws(() => openOutput({ type: 'fluent', url: 'tcp://h:1', spool: { path: join(folder, 'none') }, ...more }, new RecordingHost()), (error: { issues: { path: string[], message: string }[] }) => {
      const [issue] = error.issues
      assert.match(issue?.message ?? '', message)
      assert.equal(issue?.path[0] ?? '', path)
      return true
    })
  }
})

test('fluent: a server that sends the digest of this end back does not know the key', () => {
  const ping = new Ping({ nonce: Buffer.from('n'), authSalt: Buffer.alloc(0), isKept: true }, { sharedKey: 'k', hostName: 'gw-1' })
  const sent = unpack(ping.bytes)?.value as readonly Buffer[]
  const pong = [Buffer.from('PONG'), true, Buffer.alloc(0), sent[1] as Buffer, sent[3] as Buffer]
  assert.throws(() => { ping.check(pong, text => text) }, /has the name of this end.*set host_name/)
})
