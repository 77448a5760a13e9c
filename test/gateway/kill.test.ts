/** An observer must never be the outage: whatever becomes of Lintel, the gateway goes on and the kernel is left clean. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Gateway } from './testing/gateway.ts'
import { kernelObjects, nothingLeft } from './testing/kernel-objects.ts'
import { Lintel } from './testing/lintel.ts'
import { wrk } from './testing/wrk.ts'

const PORT = 18090

/** The kernel frees programs after a grace period. */
async function untilNothingLeft(): Promise<void> {
  for (let tries = 0; tries < 100 && !nothingLeft(kernelObjects()); tries++) await delay(50)
  assert.deepEqual(kernelObjects(), { programs: [], links: 0, hooks: [] })
}

async function killUnderLoad(args: string[]): Promise<void> {
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${PORT}`] })
  const lintel = await Lintel.start(['--port', String(PORT), ...args])
  try {
    assert.ok(kernelObjects().programs.length > 0, 'programs are loaded while it runs')
    const load = wrk({ url: `http://127.0.0.1:${PORT}/`, seconds: 4 })
    await delay(1500)
    await lintel.process.stop('SIGKILL')
    const result = await load
    assert.equal(result.errors, '', 'no request failed')
    assert.ok(result.requests > 0)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
}

for (const attach of ['tcx', 'xdp', 'socket', 'cgroup']) {
  test(`kill -9 under load, --attach ${attach}: no request fails, nothing is left in the kernel`, { timeout: 60_000 }, async () => {
    await killUnderLoad(attach === 'cgroup' ? ['--attach', attach] : ['--attach', attach, '--interface', 'lo'])
    await untilNothingLeft()
  })
}

test('kill -9 under load, --attach clsact: the filters outlive it and the next start removes them', { timeout: 60_000 }, async () => {
  await killUnderLoad(['--attach', 'clsact', '--interface', 'lo'])
  const next = await Lintel.start(['--attach', 'clsact', '--interface', 'lo'])
  try {
    const filters = execFileSync('tc', ['filter', 'show', 'dev', 'lo', 'egress'], { encoding: 'utf8' })
    assert.equal(filters.match(/handle 0x\S+ lintel/g)?.length ?? 0, 1, filters)
    await next.stop()
  } finally {
    await next.process.stop('SIGKILL')
    next.remove()
  }
  await untilNothingLeft()
})

test('SIGTERM: what was captured is drained, everything is detached, the totals add up', { timeout: 60_000 }, async () => {
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${PORT}`] })
  const lintel = await Lintel.start(['--port', String(PORT), '--interface', 'lo'])
  try {
    const result = await wrk({ url: `http://127.0.0.1:${PORT}/`, seconds: 1 })
    const totals = await lintel.stop()
    const answered = (await lintel.records()).filter((record) => record.http?.response?.status_code === 200).length
    assert.ok(answered >= result.requests, `${answered} logged of ${result.requests}`)
    assert.match(totals, /adds up/)
    await untilNothingLeft()
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
  }
})
