import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { cgroup2MountPath } from './mod.ts'
import { compile } from './testdata/compile.ts'
import { live } from './testdata/live.ts'
import { NetworkPair } from './testdata/network-pair.ts'

const CHILD = fileURLToPath(new URL('./testdata/attach-and-stay.ts', import.meta.url))

interface Row { readonly id: number; readonly prog_id?: number }

function bpftool(what: 'prog' | 'link'): readonly Row[] {
  return JSON.parse(execFileSync('bpftool', ['-j', what, 'show'], { encoding: 'utf8' })) as Row[]
}

function leftOf(ids: ReadonlySet<number>): { readonly links: number; readonly programs: number } {
  return {
    links: bpftool('link').filter((link) => ids.has(link.prog_id ?? -1)).length,
    programs: bpftool('prog').filter((program) => ids.has(program.id)).length,
  }
}

live('Link of every kind but tc leaves nothing behind when its process is killed with kill -9', async () => {
  using pair = new NetworkPair('kill')
  const cgroup = join(cgroup2MountPath() ?? '', `ebpf-kill-${process.pid}`)
  mkdirSync(cgroup)
  try {
    const child = spawn(process.execPath, [CHILD, compile('packet_count'), pair.path, cgroup], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(child.stdout, 'data') as [Buffer]
    const ids = new Set(JSON.parse(line.toString()) as number[])
    assert.deepEqual(leftOf(ids), { links: 6, programs: ids.size })
    child.kill('SIGKILL')
    await once(child, 'exit')
    // The kernel frees programs a grace period after the last descriptor is gone.
    const deadlineMs = Date.now() + 10_000
    while (leftOf(ids).links + leftOf(ids).programs > 0 && Date.now() < deadlineMs) await sleep(50)
    assert.deepEqual(leftOf(ids), { links: 0, programs: 0 })
    assert.doesNotMatch(pair.run('here', 'ip', 'link', 'show'), /xdp/)
  } finally {
    rmdirSync(cgroup)
  }
})
