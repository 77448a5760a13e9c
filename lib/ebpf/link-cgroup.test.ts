import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { BpfObject, cgroup2MountPath } from './mod.ts'
import { compile } from './testdata/compile.ts'
import { live } from './testdata/live.ts'

const PORT = 34568
const SENDER = fileURLToPath(new URL('./testdata/send-to-self.ts', import.meta.url))

/** Runs the sender inside a cgroup. */
function sendInside(cgroup: string, count: number): void {
  const script = 'echo $$ > "$1/cgroup.procs" && exec "$2" "$3" "$4" "$5"'
  execFileSync('bash', ['-c', script, 'send', cgroup, process.execPath, SENDER, String(PORT), String(count)])
}

live('BpfProgram attachCgroup sees what a cgroup’s processes send and receive, and nobody else’s', () => {
  const root = cgroup2MountPath()
  assert.ok(root !== undefined)
  const cgroup = join(root, `ebpf-test-${process.pid}`)
  mkdirSync(cgroup)
  try {
    using object = BpfObject.open(compile('packet_count'))
    object.globals('.rodata').set('port', PORT)
    object.load()
    const variables = object.globals('.bss')
    const egress = object.program('count_cgroup_egress').attachCgroup(cgroup, 'egress')
    assert.equal(egress.kind, 'cgroup')
    sendInside(cgroup, 4)
    assert.equal(variables.get('cgroup_count'), 4n)
    using _ingress = object.program('count_cgroup_ingress').attachCgroup(cgroup, 'ingress')
    sendInside(cgroup, 4)
    assert.equal(variables.get('cgroup_count'), 12n)
    egress.detach()
    sendInside(cgroup, 4)
    assert.equal(variables.get('cgroup_count'), 16n)
    execFileSync(process.execPath, [SENDER, String(PORT), '4'])
    assert.equal(variables.get('cgroup_count'), 16n)
  } finally {
    rmdirSync(cgroup)
  }
})

live('BpfProgram attachCgroup says when the folder is no cgroup or the hook is another type’s', () => {
  using object = BpfObject.open(compile('packet_count'))
  object.load()
  const program = object.program('count_cgroup_egress')
  assert.throws(() => program.attachCgroup('/tmp', 'egress'),
    { code: 'EBADF', message: /no cgroup v2 folder/ })
  assert.throws(() => program.attachCgroup('/no/such/folder', 'egress'), { code: 'ENOENT' })
  assert.throws(() => program.attachCgroup(cgroup2MountPath() ?? '', 'sock_ops'), { code: 'EINVAL' })
})

test('cgroup2MountPath finds the mount beside version 1, unescapes it, and knows when there is none', () => {
  const hybrid = [
    '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
    '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu',
    '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:7 - cgroup2 cgroup2 rw',
  ]
  assert.equal(cgroup2MountPath(hybrid.join('\n')), '/sys/fs/cgroup/unified')
  assert.equal(cgroup2MountPath(hybrid.slice(0, 2).join('\n')), undefined)
  assert.equal(cgroup2MountPath('1 2 0:1 / /a\\040b rw - cgroup2 none rw'), '/a b')
})
