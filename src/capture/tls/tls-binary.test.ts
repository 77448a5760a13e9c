import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { PROBE_END, PROBE_READ, PROBE_READ_EX, PROBE_WRITE, PROBE_WRITE_EX, PROBE_WRITE_EX2 } from '../events.gen.ts'
import { globFilter, processFilter } from './glob-filter.ts'
import { codeMappings } from './process-maps.ts'
import { judgeBinary } from './tls-binary.ts'
import { tlsProcesses } from './tls-processes.ts'
import { tlsTraces } from './tls-traces.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-binary-'))
after(() => { rmSync(folder, { recursive: true, force: true }) })

function compile(name: string, source: string, ...flags: string[]): string {
  const path = join(folder, name)
  execFileSync('clang-19', ['-x', 'c', '-O1', '-', '-o', path, ...flags], { input: source })
  return path
}

const READ = '__attribute__((noinline)) int SSL_read(void *s, void *b, int n) { return n * (s == b); }\n'
const WRITE = '__attribute__((noinline)) int SSL_write(void *s, const void *b, int n) { return n - (s == b); }\n'
const MAIN = 'int main(int n, char **w) { return SSL_read(w, w, n); }\n'

test('a program with OpenSSL built into it is found by its symbols', () => {
  const verdict = judgeBinary(compile('static', READ + WRITE + MAIN))
  assert.equal(verdict.speaks, 'readable')
  assert.deepEqual(verdict.probes.map(({ cookie, place }) => [cookie, place]),
    [[PROBE_READ, 'entry'], [PROBE_END, 'return'], [PROBE_WRITE, 'entry'], [PROBE_END, 'return']])
})

/** As GCC writes OpenSSL: what every call goes through has a beginning that only a single step runs, what it calls has not. */
const assembly = (write: string): string => `
  .section .note.GNU-stack, "", @progbits
  .text
${['read', 'write'].map((name) => `
inner_${name}: push %r13
  pop %r13
  ret
  .globl SSL_${name}
  .type SSL_${name}, @function
SSL_${name}: sub $24, %rsp
  test %edx, %edx
  call inner_${name}
  add $24, %rsp
  ret
  .size SSL_${name}, . - SSL_${name}`).join('\n')}
${['SSL_read_ex', ...write.split(' ')].map((name) => `
  .globl ${name}
  .type ${name}, @function
${name}: sub $8, %rsp
  call inner_${name === 'SSL_read_ex' ? 'read' : 'write'}
  add $8, %rsp
  ret
  .size ${name}, . - ${name}`).join('\n')}
`

test('the function that reading and writing are built on is probed in their stead, where their code proves it', { skip: process.arch !== 'x64' && 'x86-64 only' }, () => {
  const probesIn = (name: string, source: string): (readonly [number, string])[] => {
    const path = join(folder, name)
    execFileSync('clang-19', ['-x', 'assembler', '-', '-shared', '-o', path], { input: source })
    const verdict = judgeBinary(path)
    assert.equal(verdict.speaks, 'readable')
    return verdict.probes.map(({ cookie, place }) => [cookie, place])
  }
  const both = (cookie: number): [number, string][] => [[cookie, 'entry'], [PROBE_END, 'return']]
  assert.deepEqual(probesIn('inner', assembly('SSL_write_ex')), [...both(PROBE_READ_EX), ...both(PROBE_WRITE_EX)])
  assert.deepEqual(probesIn('inner3', assembly('SSL_write_ex2')), [...both(PROBE_READ_EX), ...both(PROBE_WRITE_EX2)])
  // A function that changes an argument proves nothing; one whose beginning is emulated needs nothing.
  assert.deepEqual(probesIn('changed', assembly('SSL_write_ex').replace('call inner_write\n  add $8', 'xor %ecx, %ecx\n  call inner_write\n  add $8')),
    [...both(PROBE_READ_EX), ...both(PROBE_WRITE), ...both(PROBE_WRITE_EX)])
  assert.deepEqual(probesIn('push', assembly('SSL_write_ex').replaceAll('sub $24, %rsp', 'push %rax')),
    [...both(PROBE_READ), ...both(PROBE_WRITE), ...both(PROBE_READ_EX), ...both(PROBE_WRITE_EX)])
  // Another that does not call the same is probed besides.
  assert.deepEqual(probesIn('alone', assembly('SSL_write_ex').replace('call inner_write\n  add $24', 'call inner_read\n  add $24')),
    [...both(PROBE_READ_EX), ...both(PROBE_WRITE), ...both(PROBE_WRITE_EX)])
})

test('half of a library is not read, and the reason names what is missing; no library at all is none', () => {
  assert.deepEqual(judgeBinary(compile('half', READ + MAIN)),
    { speaks: 'unreadable', library: 'OpenSSL', reason: 'it has no symbol SSL_write (stripped?)' })
  assert.deepEqual(judgeBinary(compile('stripped', READ + WRITE + MAIN, '-s')), { speaks: 'no' })
  assert.deepEqual(judgeBinary('/no/such/file'), { speaks: 'no' })
  assert.deepEqual(judgeBinary('/etc/passwd'), { speaks: 'no' })
})

test('TLS in a program without symbols leaves its traces, and its name where it says one', () => {
  const program = (text: string): string => `#include <stdio.h>\nint main(int n, char **w) { return puts(n > 9 ? w[0] : "${text}"); }\n`
  assert.equal(tlsTraces(compile('boring', program('c hs traffic external/boringssl/src/ssl/ssl_lib.cc'), '-s')), 'BoringSSL')
  assert.equal(tlsTraces(compile('nameless', program('c hs traffic'), '-s')), 'unknown')
  assert.equal(tlsTraces(compile('none', program('ssl_lib.cc'), '-s')), undefined)
  assert.equal(tlsTraces('/no/such/file'), undefined)
  assert.equal(tlsTraces('/etc/passwd'), undefined)
  // What it rests on, in a library of this machine.
  const mine = codeMappings(process.pid).find(({ path }) => path.endsWith('/node'))!
  assert.equal(tlsTraces(mine.openPath), 'OpenSSL')
})

test('this process speaks TLS by the OpenSSL inside of Node, and is listed so', () => {
  const mine = tlsProcesses(() => true).filter(({ processId }) => processId === process.pid)
  assert.ok(mine.some(({ isReadable, library, path }) => isReadable && library === 'OpenSSL' && path.endsWith('/node')))
  const left = tlsProcesses(() => false).filter(({ processId }) => processId === process.pid)
  assert.ok(left.length > 0 && left.every(({ isReadable, reason }) => !isReadable && reason === 'left out by the configuration'))
})

test('mapped code can be opened by the place that is given for it', () => {
  const mappings = codeMappings(process.pid)
  assert.ok(mappings.some(({ path }) => path.endsWith('/node')))
  // Also a program whose addresses have fewer digits than the list prints.
  for (const { openPath } of mappings) assert.equal(execFileSync('head', ['-c', '4', openPath]).toString('latin1'), '\x7fELF')
  assert.deepEqual(codeMappings(2 ** 22 + 1), [])
})

test('paths are chosen by stars, processes by name or number', () => {
  const wants = globFilter({ include: ['/usr/lib/*/libssl.so*', '/opt/(a)*'], exclude: ['*.so.1.0'] })
  assert.deepEqual(['/usr/lib/x/libssl.so.3', '/opt/(a)/b', '/usr/lib/libssl.so', '/usr/lib/x/libssl.so.1.0'].map(wants), [true, true, false, false])
  assert.equal(globFilter({ include: [], exclude: [] })('anything'), true)
  const process = processFilter({ include: ['nginx', '77', 'a-very-long-process-name'], exclude: ['78'] })
  assert.deepEqual([process('nginx', 1), process('x', 77), process('nginx', 78), process('curl', 2), process('a-very-long-pro', 3)],
    [true, true, false, false, true])
})
