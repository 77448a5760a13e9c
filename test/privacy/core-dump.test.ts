/** Raw packets live in the agent's memory: no crash may bring them to a disk, and no debugger may be invited. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel } from '../gateway/testing/lintel.ts'

const CORE_PATTERN = '/proc/sys/kernel/core_pattern'
const PORT = '18100'
const INSPECTOR_PORT = 9229

const folder = mkdtempSync(join(tmpdir(), 'lintel-core-'))
const catcher = join(folder, 'catch')
const pattern = readFileSync(CORE_PATTERN, 'utf8')
before(() => { writeFileSync(catcher, `#!/bin/sh\nexec cat >${folder}/core.$1\n`, { mode: 0o755 }) })
after(() => {
  writeFileSync(CORE_PATTERN, pattern)
  rmSync(folder, { recursive: true, force: true })
})

function hasCore(pid: number): boolean {
  return existsSync(join(folder, `core.${pid}`))
}

/** A plain file is bound by the limit on core files; a program that is given the core is not, unless by prctl. */
const PATTERNS = [
  { name: 'a plain file', text: join(folder, 'core.%p'), limit: 'unlimited' },
  { name: 'a pipe into a program', text: `|${catcher} %p`, limit: '0' },
]

for (const { name, text, limit } of PATTERNS) {
  test(`core_pattern is ${name}: another program leaves a core, the agent leaves none`, { timeout: 60_000 }, async () => {
    writeFileSync(CORE_PATTERN, text)
    const other = spawn('sh', ['-c', `ulimit -c ${limit}; exec sleep 60`])
    await delay(200)
    other.kill('SIGSEGV')
    await once(other, 'exit')
    for (let tries = 0; tries < 100 && !hasCore(other.pid!); tries++) await delay(20)
    assert.equal(hasCore(other.pid!), true, 'this test can see a core file')

    const lintel = await Lintel.start(['--port', PORT, '--interface', 'lo'])
    try {
      const { pid } = lintel.process
      assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m)
      await lintel.process.stop('SIGSEGV')
      assert.equal(lintel.process.child.signalCode, 'SIGSEGV')
      await delay(300)
      assert.equal(hasCore(pid), false)
    } finally {
      await lintel.process.stop('SIGKILL')
      lintel.remove()
    }
  })
}

test('SIGUSR1 opens no debugger on the agent, and does not end it', { timeout: 60_000 }, async () => {
  const lintel = await Lintel.start(['--port', PORT, '--interface', 'lo'])
  try {
    lintel.process.child.kill('SIGUSR1')
    await delay(500)
    assert.equal(lintel.process.running, true, lintel.process.errors)
    assert.doesNotMatch(lintel.process.errors, /[Dd]ebugger/)
    const refused = await new Promise((resolve) => {
      const socket = connect(INSPECTOR_PORT, '127.0.0.1', () => { socket.destroy(); resolve(false) })
      socket.on('error', () => resolve(true))
    })
    assert.equal(refused, true)
    await lintel.stop()
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
  }
})
