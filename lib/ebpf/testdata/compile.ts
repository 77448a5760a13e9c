import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const SOURCES = fileURLToPath(new URL('./', import.meta.url))
const OBJECTS = fileURLToPath(new URL('../../../build/ebpf-test/', import.meta.url))
const CLANGS = ['clang-19', 'clang']

/** The first clang there is. */
export function findClang(): string {
  const found = CLANGS.find((name) => spawnSync(name, ['--version']).status === 0)
  if (found !== undefined) return found
  throw new Error(
    `Cannot compile test programs: none of ${CLANGS.join(', ')} runs; install clang 15 or newer`)
}

/** Compiles `<name>.bpf.c` of this folder, unless the object is newer, and returns the object's path. */
export function compile(name: string, flags: readonly string[] = ['-g']): string {
  const source = `${SOURCES}${name}.bpf.c`
  const object = `${OBJECTS}${name}${flags.join('')}.bpf.o`
  if (modifiedMs(object) > modifiedMs(source)) return object
  mkdirSync(OBJECTS, { recursive: true })
  const unfinished = `${object}.${process.pid}`
  execFileSync(findClang(), [
    '-O2', ...flags, '-target', 'bpf', '-Wall', '-Werror', '-I/usr/include/x86_64-linux-gnu',
    '-I/usr/include/aarch64-linux-gnu', '-c', source, '-o', unfinished,
  ], { stdio: 'inherit' })
  renameSync(unfinished, object)
  return object
}

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Compiles `<name>.c` for this machine, and strips it; `offset` is where `symbol` starts in the file. */
export function compileTarget(
  name: string, symbol: string,
): { readonly path: string; readonly offset: number } {
  const path = `${OBJECTS}${name}.${process.pid}`
  mkdirSync(OBJECTS, { recursive: true })
  execFileSync(findClang(), ['-O1', `${SOURCES}${name}.c`, '-o', path])
  const symbols = execFileSync('nm', [path], { encoding: 'utf8' })
  const address = Number.parseInt(new RegExp(`^([0-9a-f]+) . ${symbol}$`, 'm').exec(symbols)?.[1] ?? '', 16)
  const segments = execFileSync('readelf', ['-lW', path], { encoding: 'utf8' })
  execFileSync('strip', [path])
  for (const [, fileAt, memoryAt, , bytes] of segments.matchAll(/LOAD +(0x\w+) (0x\w+) (0x\w+) (0x\w+)/g)) {
    const into = address - Number(memoryAt)
    if (into >= 0 && into < Number(bytes)) return { path, offset: Number(fileAt) + into }
  }
  throw new Error(`Cannot find "${symbol}" in "${path}": no segment has its address`)
}
