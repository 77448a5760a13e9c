import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { BpfObject, bpfStats, LoadError, RingBuffer, VerifierError } from './mod.ts'
import { compile } from './testdata/compile.ts'
import { live } from './testdata/live.ts'
import { UNPRIVILEGED } from './testdata/unprivileged.ts'

const MOD = fileURLToPath(new URL('./mod.ts', import.meta.url))

/** Runs a script without capabilities and returns what it wrote. */
function runUnprivileged(script: string): string {
  const source = `import { BpfObject, feature } from ${JSON.stringify(MOD)}\n${script}`
  const [program, ...before] = UNPRIVILEGED
  const result = spawnSync(program, [...before, process.execPath, '--input-type=module-typescript', '-e', source], { encoding: 'utf8' })
  assert.equal(result.status, 0, result.stderr)
  return result.stdout
}

test('BpfObject open reads maps, programs and their types from the file alone', () => {
  using object = BpfObject.open(compile('packet_count'))
  assert.deepEqual([...object.programs.values()].map(({ name, section, type }) => [name, section, type]), [
    ['count_tcx', 'tcx/ingress', 'sched_cls'],
    ['stop', 'tcx/ingress', 'sched_cls'],
    ['count_tc', 'tc', 'sched_cls'],
    ['count_cgroup_ingress', 'cgroup_skb/ingress', 'cgroup_skb'],
    ['count_cgroup_egress', 'cgroup_skb/egress', 'cgroup_skb'],
    ['count_socket', 'socket', 'socket_filter'],
    ['count_xdp', 'xdp', 'xdp'],
  ])
  assert.equal(object.program('count_cgroup_egress').expectedAttachType, 'cgroup_inet_egress')
  assert.throws(() => object.program('count_tcx').fd, { code: 'EBADF', message: /call load\(\) first/ })
  assert.throws(() => object.program('cuont_tcx'), { message: /it has "count_tcx", "stop"/ })
  assert.throws(() => object.map('events'), { code: 'ENOENT' })
})

test('BpfObject open names the file and what is wrong with it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebpf-'))
  try {
    const missing = join(folder, 'missing.o')
    assert.throws(() => BpfObject.open(missing), { code: 'ENOENT', message: /missing\.o": no such file/ })
    const text = join(folder, 'text.o')
    writeFileSync(text, 'int main;')
    assert.throws(() => BpfObject.open(text), /text\.o": it is not an ELF file/)
    assert.throws(() => BpfObject.open(process.execPath), /it is not made for BPF/)
    const cut = join(folder, 'cut.o')
    writeFileSync(cut, new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]))
    assert.throws(() => BpfObject.open(cut), /cut\.o"/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('BpfObject open of an object compiled without -g says to compile with -g', () => {
  assert.throws(() => BpfObject.open(compile('maps', [])), /it has no BTF; compile it with clang -g/)
})

live('BpfObject open needs no privileges, load without them says which are missing', () => {
  const path = compile('maps')
  const output = runUnprivileged(`
    const object = BpfObject.open(${JSON.stringify(path)})
    console.log([...object.maps.keys()].length > 0)
    try { object.load() } catch (error) { console.log(error.name, error.code, error.message) }
  `)
  assert.match(output, /^true\nLoadError EPERM Cannot load ".*": operation not permitted \(EPERM\); /)
  assert.match(output, /lacks CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON: run as root or grant them/)
})

live('BpfObject load of a refused program shows the reason, the instruction and the line of C', () => {
  using object = BpfObject.open(compile('refused'))
  assert.throws(() => object.load(), (error) => {
    assert.ok(error instanceof VerifierError)
    assert.equal(error.program, 'refused')
    assert.equal(error.code, 'EACCES')
    assert.match(error.summary, /^R0 invalid mem access 'map_value_or_null', at \d+: \(..\) r\d = \*\(/)
    assert.match(error.summary, /return \*value; \/\/ no check for NULL/)
    assert.match(error.message, /^Cannot load the program "refused": .* \(\d+ lines omitted\); see \.log$/)
    assert.ok(error.log.split('\n').length > 5)
    return true
  })
  assert.throws(() => object.load(), { code: 'EBUSY', message: /open it again/ })
})

live('BpfObject load leaves out a program without autoload', () => {
  using object = BpfObject.open(compile('refused'))
  object.program('refused').setAutoload(false)
  object.load()
  assert.ok(object.program('accepted').fd > 0)
  assert.throws(() => object.program('refused').fd, /left out of load\(\) by setAutoload/)
})

live('BpfObject load of a map the kernel cannot make names the map', () => {
  using object = BpfObject.open(compile('maps'))
  object.map('pairs').setMaxEntries(0)
  assert.throws(() => object.load(), (error) => {
    assert.ok(error instanceof LoadError)
    assert.match(error.message, /the map "pairs" has no max_entries/)
    return true
  })
})

live('BpfObject globals: constants and data set before load reach the program', () => {
  using object = BpfObject.open(compile('globals'))
  const constants = object.globals('.rodata')
  const names = ['small', 'negative', 'enabled', 'wide']
  assert.deepEqual(names.map((name) => constants.get(name)), [7, -3, false, 1n])
  constants.set('small', 2)
  constants.set('negative', -20)
  constants.set('enabled', true)
  constants.set('wide', 0xffff_ffff_ffff_fff0n)
  constants.setBytes('label', new TextEncoder().encode('z'))
  object.globals('.data').set('counter', 100)
  const early = object.globals('.data').bytes('counter')
  object.load()
  assert.equal(early.length, 0)
  object.program('add').testRun(new Uint8Array())
  assert.equal(object.globals('.data').get('counter'), 102)
  assert.equal(object.globals('.bss').get('answer'),
    BigInt.asUintN(64, 0xffff_ffff_ffff_fff0n - 20n + 100n + BigInt('z'.charCodeAt(0))))
  assert.equal(object.globals('.bss').view('last').getUint32(4, true), 102)
  object.globals('.data').set('counter', 5)
  object.program('add').testRun(new Uint8Array())
  assert.equal(object.globals('.data').get('counter'), 7)
  assert.throws(() => constants.set('small', 1), /frozen once the object is loaded/)
  assert.equal(constants.get('small'), 2)
})

test('Globals set refuses what does not fit and names the variables there are', () => {
  using object = BpfObject.open(compile('globals'))
  const constants = object.globals('.rodata')
  assert.throws(() => constants.set('small', 65536), RangeError)
  assert.throws(() => constants.set('small', -1), RangeError)
  assert.throws(() => constants.set('enabled', 2), RangeError)
  assert.throws(() => constants.get('label'), /8 bytes of an array or struct/)
  assert.throws(() => constants.setBytes('label', new Uint8Array(9)), RangeError)
  assert.throws(() => constants.get('smal'), /it has "small", "negative"/)
})

test('Btf struct answers the offsets and sizes the compiler chose', () => {
  using object = BpfObject.open(compile('globals'))
  assert.deepEqual(object.btf.struct('layout'), {
    name: 'layout',
    sizeBytes: 40,
    members: [
      { name: 'kind', offsetBytes: 0, sizeBytes: 1, kind: 'unsigned' },
      { name: 'length', offsetBytes: 4, sizeBytes: 4, kind: 'unsigned' },
      { name: 'time', offsetBytes: 8, sizeBytes: 8, kind: 'signed' },
      { name: 'name', offsetBytes: 16, sizeBytes: 16, kind: 'bytes' },
      { name: 'low', offsetBytes: 32, sizeBytes: 0, kind: 'unsigned' },
      { name: 'high', offsetBytes: 32, sizeBytes: 0, kind: 'unsigned' },
    ],
  })
  assert.equal(object.btf.struct('no_such_struct'), undefined)
})

live('BpfProgram testRun returns the program’s result, and info counts runs while bpfStats are on', () => {
  using object = BpfObject.open(compile('packet_count'))
  object.load()
  const program = object.program('count_tcx')
  const before = program.info()
  assert.equal(before.name, 'count_tcx')
  assert.ok(before.id > 0 && before.jitedLength > 0 && before.xlatedLength > 0)
  {
    using _stats = bpfStats.enable()
    const { returnValue, output } = program.testRun(new Uint8Array(64).fill(7), { repeat: 50 })
    assert.equal(returnValue, 0xffff_ffff)
    assert.deepEqual(output, new Uint8Array(64).fill(7))
  }
  const after = program.info()
  assert.ok(after.runCount - before.runCount >= 50n)
  assert.ok(after.runTimeNs > before.runTimeNs)
  assert.throws(() => program.testRun(new Uint8Array(4)), { code: 'EINVAL', message: /14 bytes/ })
})

live('BpfObject globals of constants can be asked for the first time after load', () => {
  using object = BpfObject.open(compile('globals'))
  object.load()
  assert.equal(object.globals('.rodata').get('small'), 7)
  assert.throws(() => object.globals('.rodata').set('small', 1), /frozen/)
})

live('BpfObject opened, loaded and closed again and again keeps no descriptor and no mapping', () => {
  const descriptors = (): number => readdirSync('/proc/self/fd').length
  const cycle = (): void => {
    const object = BpfObject.open(compile('ring_buffer'))
    object.load()
    const ring = new RingBuffer(object.map('events'))
    object.globals('.bss').set('release', 1)
    ring.close()
    object.close()
  }
  cycle()
  const before = descriptors()
  for (let round = 0; round < 50; round += 1) cycle()
  assert.equal(descriptors(), before)
  assert.equal(readFileSync('/proc/self/maps', 'utf8').match(/bpf-map|bpf_ringbuf/g), null)
})
