/** gRPC by grpc-js, live: every kind of call once, with method, status, deadline and message counts as the ends saw them. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import * as grpc from '@grpc/grpc-js'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'

const PORT = 18221
const AGREES = (bytes: Buffer): Buffer => bytes

/** A service without schema: messages are bytes. */
function method(name: string, requestStream: boolean, responseStream: boolean): grpc.MethodDefinition<Buffer, Buffer> {
  return {
    path: `/shop.v1.Cart/${name}`, requestStream, responseStream,
    requestSerialize: AGREES, requestDeserialize: AGREES, responseSerialize: AGREES, responseDeserialize: AGREES,
  }
}

const CART = { add: method('Add', false, false), fail: method('Fail', false, false), list: method('List', false, true), fill: method('Fill', true, false), talk: method('Talk', true, true) }

interface RpcRecord extends LoggedRecord {
  rpc?: { system?: { name?: string }, method?: string, deadline?: number, status_code?: string, status_message?: string,
    request?: { message_count?: number }, response?: { message_count?: number } }
}

let lintel: Lintel
const server = new grpc.Server()
before(async () => {
  server.addService(CART, {
    add: (_call: unknown, answer: grpc.sendUnaryData<Buffer>) => answer(null, Buffer.from('added')),
    fail: (_call: unknown, answer: grpc.sendUnaryData<Buffer>) => answer({ code: grpc.status.NOT_FOUND, details: 'no such pot: käse' }),
    list: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
      for (let count = 0; count < 40; count++) call.write(Buffer.alloc(count * 700))
      call.end()
    },
    fill: (call: grpc.ServerReadableStream<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) => {
      call.on('data', () => {})
      call.on('end', () => answer(null, Buffer.from('full')))
    },
    talk: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
      call.on('data', (message: Buffer) => call.write(message))
      call.on('end', () => call.end())
    },
  })
  await promisify(server.bindAsync.bind(server))(`127.0.0.1:${PORT}`, grpc.ServerCredentials.createInsecure())
  lintel = await Lintel.start(['--port', String(PORT), '--interface', 'lo', '--kind', 'exchange'])
})
after(async () => {
  server.forceShutdown()
  try {
    assert.match(await lintel.stop(), /adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
  }
})

async function rpcOf(name: string): Promise<RpcRecord['rpc']> {
  const [record, ...more] = await lintel.exchanges(`/shop.v1.Cart/${name}`)
  assert.deepEqual(more, [])
  assert.equal(record?.marks, undefined)
  const { rpc } = record as RpcRecord
  assert.equal(rpc?.system?.name, 'grpc')
  assert.equal(rpc.method, `shop.v1.Cart/${name}`)
  return rpc
}

function counts(rpc: RpcRecord['rpc']): unknown[] {
  return [rpc?.status_code, rpc?.request?.message_count, rpc?.response?.message_count]
}

test('unary, failing, and all kinds of streaming calls', async () => {
  const client = new (grpc.makeGenericClientConstructor(CART, 'Cart'))(`127.0.0.1:${PORT}`, grpc.credentials.createInsecure())
  const call = client as unknown as Record<keyof typeof CART, (...args: unknown[]) => unknown>
  const unary = async (name: 'add' | 'fail'): Promise<grpc.ServiceError | null> => await new Promise((resolve) => {
    call[name].call(client, Buffer.from('pot'), new grpc.Metadata(), { deadline: Date.now() + 5000 }, (error: grpc.ServiceError | null) => resolve(error))
  })
  assert.equal(await unary('add'), null)
  assert.equal((await unary('fail'))?.code, grpc.status.NOT_FOUND)
  const list = call.list.call(client, Buffer.from('all')) as grpc.ClientReadableStream<Buffer>
  let listed = 0
  for await (const _ of list) listed++
  assert.equal(listed, 40)
  await new Promise<void>((resolve) => {
    const fill = call.fill.call(client, () => resolve()) as grpc.ClientWritableStream<Buffer>
    for (let count = 0; count < 15; count++) fill.write(Buffer.alloc(5000))
    fill.end()
  })
  const talk = call.talk.call(client) as grpc.ClientDuplexStream<Buffer, Buffer>
  for (let count = 0; count < 12; count++) talk.write(Buffer.alloc(count))
  talk.end()
  let said = 0
  for await (const _ of talk) said++
  assert.equal(said, 12)
  client.close()

  const add = await rpcOf('Add')
  assert.deepEqual(counts(add), ['OK', 1, 1])
  assert.ok(add?.deadline !== undefined && add.deadline > 0 && add.deadline <= 5, String(add?.deadline))
  const fail = await rpcOf('Fail')
  assert.deepEqual(counts(fail), ['NOT_FOUND', 1, 0])
  assert.equal(fail?.status_message, 'no such pot: käse')
  assert.deepEqual(counts(await rpcOf('List')), ['OK', 1, 40])
  assert.deepEqual(counts(await rpcOf('Fill')), ['OK', 15, 1])
  assert.deepEqual(counts(await rpcOf('Talk')), ['OK', 12, 12])
})
