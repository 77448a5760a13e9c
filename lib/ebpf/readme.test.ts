import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { findClang } from './testdata/compile.ts'
import { live } from './testdata/live.ts'

const README = new URL('./README.md', import.meta.url)
const MOD = new URL('./mod.ts', import.meta.url)

/** The first code block of a language. */
function block(language: string): string {
  const text = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(readFileSync(README, 'utf8'))?.[1]
  assert.ok(text !== undefined)
  return text
}

live('README first example compiles and counts packets as it says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebpf-readme-'))
  try {
    writeFileSync(join(folder, 'count.bpf.c'), block('c'))
    writeFileSync(join(folder, 'count.mts'), block('ts').replace('./mod.ts', MOD.href))
    const command = block('sh').replace(/^clang/, findClang())
    execFileSync('bash', ['-c', command], { cwd: folder })
    // Packets all the while, so that it does not matter when the program is attached.
    const script = 'while :; do echo packet > /dev/udp/127.0.0.1/9; sleep 0.1; done > /dev/null 2>&1 & '
      + '"$0" count.mts; kill $!'
    const output = execFileSync('bash', ['-c', script, process.execPath], { cwd: folder, encoding: 'utf8' })
    assert.match(output, /^[1-9]\d* packets in a second\n$/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
