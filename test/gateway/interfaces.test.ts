/** Interfaces come and go while the agent runs: each change is told, and what comes is captured. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'
import { Network } from './testing/network.ts'
import { run } from './testing/process.ts'

async function scene(lintelArgs: (network: Network) => string[], act: (network: Network, lintel: Lintel) => Promise<void>): Promise<void> {
  const network = new Network()
  let gateway: Gateway | undefined
  let lintel: Lintel | undefined
  try {
    gateway = await Gateway.start({ listen: ['80'], namespace: network.server })
    lintel = await Lintel.start(lintelArgs(network), network.server)
    await act(network, lintel)
    assert.match(await lintel.stop(), /adds up/)
  } finally {
    await lintel?.process.stop('SIGKILL')
    lintel?.remove()
    await gateway?.stop()
    network.remove()
  }
}

async function get(network: Network, path: string): Promise<void> {
  await run('ip', ['netns', 'exec', network.client, 'curl', '-s', '--retry', '3', '--retry-connrefused', '-o', '/dev/null', `http://${network.server4}${path}`])
}

async function said(lintel: Lintel, text: RegExp, from: number): Promise<void> {
  await lintel.process.until(() => text.test(lintel.process.errors.slice(from)), String(text))
}

const SCENES = [
  ['no --interface', () => []],
  ['a named --interface', (network: Network) => ['--interface', network.serverInterface]],
] as const

for (const [name, args] of SCENES) {
  test(`${name}: an interface that is deleted and comes back is captured again, both changes are told`, { timeout: 60_000 }, async () => {
    await scene((network) => [...args(network)], async (network, lintel) => {
      await get(network, '/first')
      const [first] = await lintel.exchanges('/first')
      assert.equal(first?.network?.interface?.name, network.serverInterface)
      for (const round of [1, 2]) {
        const from = lintel.process.errors.length
        network.cut()
        await said(lintel, new RegExp(`warning: interface ${network.serverInterface} vanished`), from)
        network.join()
        await said(lintel, new RegExp(`warning: interface ${network.serverInterface} appeared`), from)
        await get(network, `/round-${round}`)
        const records = await lintel.exchanges(`/round-${round}`)
        assert.equal(records.length, 1)
        assert.equal(records[0]?.network?.interface?.name, network.serverInterface)
        assert.equal(records[0].http?.response?.status_code, 200)
      }
    })
  })
}

test('a cgroup capture kept to a named interface outlives it', { timeout: 60_000 }, async () => {
  const name = `lc${process.pid.toString(36)}`
  const add = (): void => { execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`]) }
  const remove = (): void => { execFileSync('ip', ['link', 'del', name]) }
  add()
  const lintel = await Lintel.start(['--interface', name, '--attach', 'cgroup'])
  try {
    remove()
    await delay(2200) // it looks each second
    add()
    await delay(1100)
    assert.match(await lintel.stop(), /adds up/)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    remove()
  }
})
