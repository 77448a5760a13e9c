import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { release } from 'node:os'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { feature, onlineCpus, possibleCpus } from './mod.ts'
import { parseCpuList } from './cpus.ts'
import { live } from './testdata/live.ts'
import { UNPRIVILEGED } from './testdata/unprivileged.ts'

const MOD = fileURLToPath(new URL('./mod.ts', import.meta.url))

/** Whether the running kernel is at least `major.minor`: then a feature of that kernel must be there. */
function isKernelAtLeast(major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = release().split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

live('feature says yes to what came with a kernel older than the running one', () => {
  const since = [
    [feature.ringBuffer, 5, 8], [feature.mmapableArray, 5, 5],
    [feature.tcxLink, 6, 6], [feature.xdpLink, 5, 9],
    [feature.dynptr, 5, 19],
    [() => feature.helper('sched_cls', 'loop'), 5, 17],
    [() => feature.helper('sched_cls', 'bpf_ringbuf_output'), 5, 8],
    [() => feature.programType('sched_cls'), 4, 1], [() => feature.programType('tracing'), 5, 5],
    [() => feature.mapType('lru_hash'), 4, 10],
  ] as const
  for (const [probe, major, minor] of since) {
    if (!isKernelAtLeast(major, minor)) continue
    assert.equal(probe().answer, 'yes', probe().reason)
  }
})

live('feature says no to a helper a program type may not call', () => {
  assert.equal(feature.helper('socket_filter', 'redirect').answer, 'no')
  assert.equal(feature.helper('xdp', 'bpf_skb_store_bytes').answer, 'no')
})

test('feature helper of a name that is none is unknown', () => {
  assert.deepEqual(feature.helper('xdp', 'fly'), { answer: 'unknown', reason: 'no helper is called "fly"' })
})

live('feature without privileges is unknown, never no', () => {
  const script = `import { feature } from ${JSON.stringify(MOD)}; console.log(JSON.stringify(feature.all()))`
  const [program, ...before] = UNPRIVILEGED
  const result = spawnSync(program, [...before, process.execPath, '--input-type=module-typescript', '-e', script], { encoding: 'utf8' })
  assert.equal(result.status, 0, result.stderr)
  const all = JSON.parse(result.stdout) as ReturnType<typeof feature.all>
  const asked = all.filter((each) => each.name !== 'BTF of the kernel' && each.name !== 'cgroup v2')
  assert.deepEqual(new Set(asked.map((each) => each.answer)), new Set(['unknown']))
  for (const each of asked) assert.match(each.reason, /EPERM/)
})

test('feature all answers each of its probes with a reason', () => {
  const all = feature.all()
  assert.ok(all.length > 20)
  for (const { name, answer, reason } of all) {
    assert.ok(['yes', 'no', 'unknown'].includes(answer), name)
    assert.ok(reason.length > 10, name)
  }
})

test('possibleCpus are at least those that are online', () => {
  assert.ok(possibleCpus() >= onlineCpus().length && onlineCpus().length > 0)
  assert.deepEqual(parseCpuList('0-3,8,10-11\n'), [0, 1, 2, 3, 8, 10, 11])
})
