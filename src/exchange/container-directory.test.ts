import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ContainerDirectory } from './container-directory.ts'

const ID = 'c'.repeat(64)
const UID = '2c48913c-b29f-11e7-9350-020968147796'

/** Answers on a socket as Docker's API does; no container runtime is on the machines that test this. */
async function withRuntime(answer: (path: string) => [status: number, body: string], use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-containers-'))
  const server = createServer((request, response) => {
    const [status, body] = answer(request.url ?? '')
    response.writeHead(status).end(body)
  }).listen(join(folder, 'docker.sock'))
  try {
    await once(server, 'listening')
    await use(folder)
  } finally {
    server.close()
    rmSync(folder, { recursive: true })
  }
}

const placesIn = (folder: string) => ({ sockets: [join(folder, 'none.sock'), join(folder, 'docker.sock')], podLogs: join(folder, 'pods') })

test('a container has the image and name that its runtime tells, a pod those of its log folder', async () => {
  await withRuntime((path) => path === `/containers/${ID}/json` ? [200, JSON.stringify({ Name: '/shop', Config: { Image: 'nginx:1.27' } })] : [404, '{}'],
    async (folder) => {
      mkdirSync(join(folder, 'pods', `default_shop-6c5f-x2x_${UID}`), { recursive: true })
      mkdirSync(join(folder, 'pods', 'kube-system_other_1-2-3'))
      const directory = new ContainerDirectory(placesIn(folder))
      assert.deepEqual(await directory.namesOf({ containerId: ID, podUid: UID }),
        { image: 'nginx:1.27', name: 'shop', podNamespace: 'default', podName: 'shop-6c5f-x2x' })
      assert.deepEqual(await directory.namesOf({ containerId: ID }), { image: 'nginx:1.27', name: 'shop' })
      assert.deepEqual(await directory.namesOf({ containerId: 'd'.repeat(64), podUid: UID }),
        { podNamespace: 'default', podName: 'shop-6c5f-x2x' })
      assert.equal(await directory.namesOf({ containerId: '../../images', podUid: '..' }), undefined)
    })
})

for (const [what, body] of [
  ['no JSON', '<html>'], ['no object', 'null'], ['no image', '{"Config":null}'], ['an answer without end', 'x'.repeat(3 << 20)],
] as const) {
  test(`a runtime that answers with ${what} tells nothing`, async () => {
    await withRuntime(() => [200, body], async (folder) => {
      const names = await new ContainerDirectory(placesIn(folder)).namesOf({ containerId: ID })
      assert.deepEqual(names ?? {}, {})
    })
  })
}

test('where there is no runtime and no kubelet nothing is told', async () => {
  assert.equal(await new ContainerDirectory(placesIn('/nonexistent')).namesOf({ containerId: ID, podUid: UID }), undefined)
})

/** A runtime that holds its answers back until it is let go. */
async function withSlowRuntime(use: (directory: ContainerDirectory, asked: string[], letGo: () => void) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lintel-containers-'))
  const asked: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    asked.push(request.url!)
    void promise.then(() => response.end(JSON.stringify({ Name: request.url })))
  }).listen(join(folder, 'docker.sock'))
  try {
    await once(server, 'listening')
    await use(new ContainerDirectory(placesIn(folder)), asked, resolve)
  } finally {
    resolve()
    server.close()
    rmSync(folder, { recursive: true })
  }
}

const idOf = (index: number): string => index.toString(16).padStart(64, '0')

test('what is over 64 questions at a time waits, and is asked when one of them is answered', async () => {
  await withSlowRuntime(async (directory, asked, letGo) => {
    const names = Promise.all(Array.from({ length: 150 }, (_, index) => directory.namesOf({ containerId: idOf(index) })))
    while (asked.length < 64) await delay(5)
    await delay(50)
    assert.equal(asked.length, 64)
    letGo()
    assert.deepEqual((await names).map((each) => each?.name), Array.from({ length: 150 }, (_, index) => `containers/${idOf(index)}/json`))
    assert.equal(directory.refused, 0)
  })
})

test('over 4,096 that wait none is asked, and it is counted; close() gives up what waits', async () => {
  await withSlowRuntime(async (directory, asked, letGo) => {
    const names = Array.from({ length: 64 + 4096 + 3 }, (_, index) => directory.namesOf({ containerId: idOf(index) }))
    assert.deepEqual(await Promise.all(names.slice(-3)), [undefined, undefined, undefined])
    assert.equal(directory.refused, 3)
    directory.close()
    assert.equal(await names[64], undefined)
    while (asked.length < 64) await delay(5)
    letGo()
    await Promise.all(names)
    assert.equal(asked.length, 64)
    assert.equal(await directory.namesOf({ containerId: ID }), undefined)
  })
})
