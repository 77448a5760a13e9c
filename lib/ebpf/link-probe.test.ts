import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { BpfObject } from './mod.ts'
import { compile, compileTarget } from './testdata/compile.ts'
import { live } from './testdata/live.ts'

const TRACE_SELF = fileURLToPath(new URL('./testdata/trace-self.ts', import.meta.url))
const GETPPID = { x64: 110n, arm64: 173n }[process.arch as 'x64' | 'arm64']

function open(): BpfObject {
  const object = BpfObject.open(compile('probes'))
  object.globals('.rodata').set('process', process.pid)
  object.globals('.rodata').set('syscall_number', GETPPID ?? 0n)
  object.load()
  return object
}

/** Each read is one getppid(2), through libc's function of that name. */
function callGetppid(times: number): void {
  for (let call = 0; call < times; call += 1) assert.ok(process.ppid >= 0)
}

function libcPath(): string {
  const path = /\S*\/libc\.so\.6$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0]
  assert.ok(path !== undefined)
  return path
}

live('BpfProgram attachTracepoint counts the system calls until it is detached', () => {
  // tracefs may not be mounted; a mount namespace of its own leaves the machine as it is.
  const folder = '/sys/kernel/tracing'
  const script = `mountpoint -q ${folder} || mount -t tracefs tracefs ${folder}; exec "$@"`
  const output = execFileSync('unshare', [
    '--mount', 'bash', '-c', script, 'trace', process.execPath, TRACE_SELF, compile('probes'),
  ], { encoding: 'utf8' })
  const { kind, count, refusal } = JSON.parse(output) as { kind: string; count: number; refusal: string }
  assert.equal(kind, 'tracepoint')
  assert.equal(count, 5)
  assert.match(refusal, /"syscalls:sys_enter_nothing": .*the kernel has none of that name/)
})

live('BpfProgram attachRawTracepoint counts the system calls until it is detached', () => {
  using object = open()
  const link = object.program('at_raw_tracepoint').attachRawTracepoint('sys_enter')
  assert.equal(link.kind, 'raw_tracepoint')
  callGetppid(4)
  link.detach()
  callGetppid(4)
  assert.equal(object.globals('.bss').get('raw_count'), 4n)
  assert.throws(() => object.program('at_raw_tracepoint').attachRawTracepoint('no_such_event'),
    { code: 'ENOENT' })
})

live('BpfProgram attachUprobe counts entries and returns of a library function of this process', () => {
  using object = open()
  const target = { path: libcPath(), symbol: 'getppid', pid: process.pid }
  const entry = object.program('at_entry').attachUprobe({ ...target, cookie: 0x1234_5678_9abcn })
  const back = object.program('at_return').attachUprobe({ ...target, return: true })
  assert.equal(entry.kind, 'uprobe')
  callGetppid(6)
  const variables = object.globals('.bss')
  assert.equal(variables.get('entry_count'), 6n)
  assert.equal(variables.get('return_count'), 6n)
  assert.equal(variables.get('cookie'), 0x1234_5678_9abcn)
  entry.detach()
  back.detach()
  callGetppid(6)
  assert.equal(variables.get('entry_count'), 6n)
})

live('BpfProgram attachUprobe finds a function of a stripped program by its offset, in every process', () => {
  const { path, offset } = compileTarget('uprobe_target', 'probed')
  using object = open()
  using _probe = object.program('at_entry').attachUprobe({ path, offset, cookie: 7n })
  assert.throws(() => object.program('at_entry').attachUprobe({ path, symbol: 'probed' }),
    { code: 'ENOENT', message: /no such symbol \(it may be stripped\): give the offset/ })
  execFileSync(path, ['3'])
  rmSync(path)
  assert.equal(object.globals('.bss').get('cookie'), 7n)
  assert.equal(object.globals('.bss').get('entry_count'), 0n)
})

live('BpfProgram attachUprobe says which part of the target is wrong', () => {
  using object = open()
  const program = object.program('at_entry')
  assert.throws(() => program.attachUprobe({ path: '/no/such/binary', symbol: 'x' }),
    { code: 'ENOENT', message: /Cannot attach "at_entry" to "\/no\/such\/binary:x": .*give the path/ })
  assert.throws(() => program.attachUprobe({ path: libcPath(), symbol: 'no_such_function' }),
    { code: 'ENOENT' })
  assert.throws(() => program.attachUprobe({ path: libcPath() }), /neither symbol nor offset is given/)
})
