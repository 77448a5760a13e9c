/** The server's side of Fluent forward v1, by @msgpack/msgpack and the specification: nothing of it is Lintel's. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { decodeMulti, decodeMultiStream, encode, ExtensionCodec } from '@msgpack/msgpack'
import type { Kept } from '../exporter.suite.ts'
import type { Converse } from './stream-server.ts'

export interface FluentSecurity {
  readonly sharedKey: string
  readonly users?: Readonly<Record<string, string>>
  readonly isKept?: boolean
  /** Proves that it knows the key by another one. */
  readonly claimedKey?: string
}

interface EventTime { readonly seconds: number, readonly nanoseconds: number }
export interface FluentRecord {
  readonly id: string
  readonly time: string
  readonly event: { readonly sequence: number }
  readonly http: { readonly request: { readonly header: Record<string, readonly string[]> } }
}

const extensionCodec = new ExtensionCodec()
extensionCodec.register({
  type: 0, encode: () => null,
  decode: (bytes): EventTime => {
    assert.equal(bytes.length, 8)
    const view = Buffer.from(bytes)
    return { seconds: view.readUInt32BE(0), nanoseconds: view.readUInt32BE(4) }
  },
})

const sha512 = (...parts: readonly (string | Uint8Array)[]): string => parts.reduce((hash, part) => hash.update(part), createHash('sha512')).digest('hex')

/** @param compressed what the messages must be */
export function fluentConverse(compressed: boolean, security?: FluentSecurity): Converse {
  return async (socket, server) => {
    const messages = decodeMultiStream(socket, { extensionCodec })[Symbol.asyncIterator]()
    if (security !== undefined && !await shakeHands(socket, messages, security)) {
      socket.end()
      return
    }
    for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
      const { records, chunk } = readMessage(next.value, compressed)
      server.batch(records, socket, isRight => { socket.write(encode({ ack: isRight ? chunk : `${chunk.slice(0, -4)}AA==` })) })
    }
  }
}

async function shakeHands(socket: Socket, messages: AsyncIterator<unknown>, { sharedKey, users, isKept = true, claimedKey = sharedKey }: FluentSecurity): Promise<boolean> {
  const [nonce, salt, name] = [Buffer.from('0001fffe8081c0ff0001fffe8081c0ff', 'hex'), users === undefined ? '' : 'user-salt', 'fluentd.example']
  socket.write(encode(['HELO', { nonce, auth: salt, keepalive: isKept }]))
  const { value, done } = await messages.next() as IteratorResult<string[]>
  if (done === true || value[0] !== 'PING') return false
  const [, host = '', keySalt = '', digest, user = '', password] = value
  assert.equal(value.length, 6)
  assert.ok(value.every(part => typeof part === 'string'))
  const isRight = digest === sha512(keySalt, host, nonce, sharedKey)
  const isUser = users === undefined ? user === '' && password === '' : password === sha512(salt, user, users[user] ?? '?')
  const reason = !isRight ? 'shared_key mismatch' : !isUser ? 'username/password mismatch' : ''
  socket.write(encode(['PONG', reason === '', reason, name, reason === '' ? sha512(keySalt, name, nonce, claimedKey) : '']))
  return reason === ''
}

function readMessage(value: unknown, compressed: boolean): { records: Kept[], chunk: string } {
  assert.ok(Array.isArray(value) && value.length === 3)
  const [tag, entries, options] = value as [string, Uint8Array, { chunk: string, size: number, compressed?: string }]
  assert.equal(tag, 'lintel')
  assert.ok(entries instanceof Uint8Array)
  assert.equal(options.compressed, compressed ? 'gzip' : undefined)
  assert.equal(Buffer.from(options.chunk, 'base64').length, 16)
  const plain = compressed ? gunzipSync(entries) : entries
  const records = [...decodeMulti(plain, { extensionCodec })].map(entry => readEntry(entry as [EventTime, FluentRecord]))
  assert.equal(records.length, options.size)
  return { records, chunk: options.chunk }
}

function readEntry(entry: readonly [EventTime, FluentRecord]): Kept {
  assert.equal(entry.length, 2)
  const [{ seconds, nanoseconds }, { id, time, event, http }] = entry
  assert.equal(new Date(seconds * 1000).toISOString().replace('.000Z', `.${String(nanoseconds).padStart(9, '0')}Z`), time)
  return { id, number: event.sequence, hostile: http.request.header['x-hostile'] }
}
