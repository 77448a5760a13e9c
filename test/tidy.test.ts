/**
 * The walls and the style of this project, as tests. Each rule takes file texts, so that the rules themselves are tested
 * below on planted faults.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

interface SourceFile { path: string; text: string }

/** Every file git knows or would add. */
function projectFiles(): string[] {
  const output = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  return output.trim().split('\n')
}

function isCode(path: string): boolean {
  return /\.(ts|c|h)$/.test(path)
}

function read(paths: string[]): SourceFile[] {
  return paths.flatMap((path) => {
    try {
      return [{ path, text: readFileSync(join(root, path), 'utf8') }]
    } catch {
      return [] // listed by git, deleted in the working tree
    }
  })
}

const files = read(projectFiles().filter(isCode))

function importsOf(file: SourceFile): string[] {
  const found = file.text.matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm)
  return [...found].map((match) => (match[1] ?? match[2])!)
}

function stageOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1]
}

/** Files of src/ that stand beside the stages and may be read by them: they hold no stage's concern. */
const BESIDE_STAGES = new Set(['src/config', 'src/ledger.ts'])

/** A stage imports itself, lib/, node:, packages, wasm layouts, and stages that sort before it through their mod.ts. */
function wallFaults(file: SourceFile): string[] {
  const stage = stageOf(file.path)
  if (stage === undefined || stage === 'config') return []
  const faults: string[] = []
  for (const specifier of importsOf(file)) {
    if (!specifier.startsWith('.')) continue
    const target = normalize(join(dirname(file.path), specifier))
    if (target.startsWith('lib/') || target.startsWith('wasm/') || target.startsWith(`src/${stage}/`)) continue
    if (BESIDE_STAGES.has(target)) continue
    const other = stageOf(target)
    const say = (why: string): void => { faults.push(`${file.path} imports ${target}: ${why}`) }
    if (other === undefined) say('a stage imports only lib/, wasm/ and earlier stages')
    else if (other > stage) say('data flows down the listing; a stage imports earlier stages only')
    else if (!target.endsWith('/mod.ts') && !isTest(file.path)) say('another stage is reached through its mod.ts')
    else if (stage > 'privacy' && other < 'privacy') say('nothing behind the privacy wall imports what stands before it')
  }
  return faults
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.endsWith('.suite.ts') || path.includes('/testing/')
}

function libFaults(file: SourceFile): string[] {
  if (!file.path.startsWith('lib/') || isTest(file.path)) return []
  return importsOf(file).filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => normalize(join(dirname(file.path), specifier)))
    .filter((target) => !target.startsWith('lib/') && !target.startsWith('wasm/'))
    .map((target) => `${file.path} imports ${target}: lib/ knows nothing of the agent`)
}

function ffiFaults(file: SourceFile): string[] {
  if (file.path === 'lib/ebpf/libbpf.ts' || !importsOf(file).includes('koffi')) return []
  return [`${file.path} imports koffi: FFI is declared in lib/ebpf/libbpf.ts only`]
}

const LINES_MAX = 500
const COLUMNS_MAX = 150
const FORBIDDEN_NAMES = /^(utils?|common|helpers?|misc|types|shared|manager|index)(\.test)?\.ts$/

/** Tables of data: a row is a line, however long. */
const TABLES = new Set(['src/exchange/fields.ts', 'src/privacy/credential-patterns.ts'])

function styleFaults(file: SourceFile): string[] {
  const faults: string[] = []
  const lines = file.text.split('\n')
  const generated = file.path.endsWith('.gen.ts')
  if (!generated && !isTest(file.path) && lines.length - 1 > LINES_MAX) {
    faults.push(`${file.path}: ${lines.length - 1} lines; split it, the bound is ${LINES_MAX}`)
  }
  if (FORBIDDEN_NAMES.test(file.path.split('/').at(-1)!)) faults.push(`${file.path}: name it after what it exports`)
  lines.forEach((line, index) => {
    const place = `${file.path}:${index + 1}`
    if (!generated && !isTest(file.path) && !TABLES.has(file.path) && line.length > COLUMNS_MAX) faults.push(`${place}: longer than ${COLUMNS_MAX} columns`)
    if (/\b(TODO|FIXME|XXX)\b/.test(line) && file.path !== 'test/tidy.test.ts') faults.push(`${place}: unfinished work`)
  })
  return faults
}

test('stages import only lib/, themselves and stages that sort before them', () => {
  assert.deepEqual(files.flatMap(wallFaults), [])
})

test('lib/ imports nothing of the agent', () => {
  assert.deepEqual(files.flatMap(libFaults), [])
})

test('FFI is declared in one file', () => {
  assert.deepEqual(files.flatMap(ffiFaults), [])
})

test('source files keep their bounds and their names', () => {
  assert.deepEqual(files.flatMap(styleFaults), [])
})

test('only agent.ts and pipeline.ts know every stage', () => {
  const stages = new Set(files.map((file) => stageOf(file.path)).filter((stage) => stage !== undefined && stage !== 'config'))
  const knowsAll = files.filter((file) => file.path.startsWith('src/')).filter((file) => {
    const reached = new Set(importsOf(file).filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => stageOf(normalize(join(dirname(file.path), specifier)))))
    return [...stages].filter((stage) => reached.has(stage)).length > 4 && stageOf(file.path) === undefined
  }).map((file) => file.path)
  assert.deepEqual(knowsAll.filter((path) => !['src/agent.ts', 'src/pipeline.ts'].includes(path)), [])
})

test('git holds no binary, object, capture or built file', () => {
  const bad = projectFiles().filter((path) => /\.(o|node|so|wasm|pcap|pcapng|gz|zst|parquet)$|^vmlinux\.h$/.test(path))
  assert.deepEqual(bad, [])
})

test('every test file is found by the test command', () => {
  const tests = projectFiles().filter((path) => path.endsWith('.test.ts'))
  const outside = tests.filter((path) => !/^(lib|src|cli|tools|test)\//.test(path))
  assert.deepEqual(outside, [])
})

test('the rules find planted faults', () => {
  const plant = (path: string, text: string): SourceFile => ({ path, text })
  assert.equal(wallFaults(plant('src/capture/a.ts', `import { x } from '../decode/mod.ts'`)).length, 1)
  assert.equal(wallFaults(plant('src/sink/a.ts', `import { x } from '../exchange/mod.ts'`)).length, 1)
  assert.equal(wallFaults(plant('src/decode/a.ts', `import { x } from '../connection/table.ts'`)).length, 1)
  assert.equal(wallFaults(plant('src/decode/a.ts', `import type { x } from '../connection/mod.ts'`)).length, 0)
  assert.equal(wallFaults(plant('src/decode/a.ts', `const x = await import('../sink/mod.ts')`)).length, 1)
  assert.equal(libFaults(plant('lib/pcap/a.ts', `import { x } from '../../src/capture/mod.ts'`)).length, 1)
  assert.equal(ffiFaults(plant('src/capture/a.ts', `import koffi from 'koffi'`)).length, 1)
  assert.equal(styleFaults(plant('src/capture/utils.ts', 'x\n')).length, 1)
  assert.equal(styleFaults(plant('src/capture/a.ts', 'x\n'.repeat(501))).length, 1)
})
