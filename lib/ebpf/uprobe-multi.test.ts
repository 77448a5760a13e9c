import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'

import { BpfObject, MappingWatch } from './mod.ts'
import { compile, compileTarget } from './testdata/compile.ts'
import { live } from './testdata/live.ts'

live('BpfProgram attachUprobeMulti probes places of a file by one link, each with its cookie', () => {
  const { path, offset } = compileTarget('uprobe_target', 'probed')
  using object = BpfObject.open(compile('probes'))
  object.program('at_entry').setAttachType('trace_uprobe_multi')
  object.load()
  const link = object.program('at_entry').attachUprobeMulti({ path, places: [{ offset, cookie: 4711n }] })
  assert.equal(link.kind, 'uprobe_multi')
  execFileSync(path, ['3'])
  assert.equal(object.globals('.bss').get('cookie'), 4711n)
  link.detach()
  object.globals('.bss').set('cookie', 0n)
  execFileSync(path, ['3'])
  assert.equal(object.globals('.bss').get('cookie'), 0n)
  rmSync(path)
  assert.throws(() => object.program('at_entry').attachUprobeMulti({ path, places: [{ offset, cookie: 1n }] }),
    { code: 'ENOENT', message: /give the path of a binary/ })
})

live('BpfMap reuse shares one map between two objects', () => {
  using first = BpfObject.open(compile('maps'))
  first.load()
  const shared = [...first.maps.values()].find((map) => map.type === 'hash' && !map.isInternal)!
  using second = BpfObject.open(compile('maps'))
  second.map(shared.name).reuse(shared)
  second.load()
  const key = new Uint8Array(shared.keySize).fill(7)
  const value = new Uint8Array(shared.valueSize).fill(9)
  second.map(shared.name).update(key, value)
  assert.deepEqual(shared.lookup(key), value)
  assert.throws(() => { second.map(shared.name).reuse(shared) }, { code: 'EBUSY' })
})

live('MappingWatch tells the program and the libraries that a process maps', () => {
  using watch = new MappingWatch()
  execFileSync('true')
  const found = [...watch.read()]
  assert.ok(found.some(({ path }) => /\/(true|coreutils)$/.test(path)), JSON.stringify(found.map(({ path }) => path)))
  assert.ok(found.some(({ path, inode }) => /\/libc\.so\.6$/.test(path) && inode > 0n))
  assert.ok(found.every(({ processId, length }) => processId > 0 && length > 0n))
  assert.equal(watch.lost, 0)
})
