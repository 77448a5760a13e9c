/**
 * Runs the tests and closes with one line: `N passed, N failed` (and `, N skipped`).
 *
 * In: globs as arguments; none = every test. With CI=true a skipped test counts as failed: there nothing may be left out.
 *
 * @module
 */
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative } from 'node:path'
import { run, type TestsStream } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

const EVERY_TEST = ['lib/**/*.test.ts', 'src/**/*.test.ts', 'cli/**/*.test.ts', 'tools/**/*.test.ts', 'test/**/*.test.ts']
const SLOWEST_SHOWN = 20
/** These touch neither the kernel's interfaces nor its programs, and listen on ports that are given to them: they run side by side. */
const APART = ['lib', 'src', 'cli', 'tools', 'test/conformance', 'test/wasm']
const NOT_APART = ['lib/ebpf']
const patterns = process.argv.length > 2 ? process.argv.slice(2) : EVERY_TEST
const files = [...new Set(patterns.flatMap((pattern) => globSync(pattern)))].sort()
if (files.length === 0) {
  console.error(`Cannot find a test that matches ${patterns.join(' ')}`)
  process.exit(2)
}

const under = (file: string, folders: readonly string[]): boolean => folders.some(folder => file.startsWith(`${folder}/`))
const apart = (file: string): boolean => under(file, APART) && !under(file, NOT_APART)

let passed = 0
let failed = 0
let skipped = 0
const failures: string[] = []
const seconds = new Map<string, number>()

function count(stream: TestsStream): void {
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite') return
    if (event.skip !== undefined && event.skip !== false) skipped++
    else passed++
  })
  stream.on('test:fail', (event) => {
    if (event.details.type === 'suite') return
    failed++
    failures.push(`${event.file ?? ''}: ${event.name}`)
  })
  stream.on('test:summary', ({ file, duration_ms: ms }) => {
    if (file !== undefined) seconds.set(relative(root, file), ms / 1000)
  })
}

/** Resolves when all of them ran. */
async function runAll(some: readonly string[], concurrency: number): Promise<void> {
  if (some.length === 0) return
  const stream = run({ files: some.map((file) => `${root}${file}`), concurrency, cwd: root })
  count(stream)
  const told = stream.compose(new spec())
  told.pipe(process.stdout, { end: false })
  await once(told, 'end')
}

function report(): void {
  const slowest = [...seconds].sort((a, b) => b[1] - a[1]).slice(0, SLOWEST_SHOWN)
  console.log(`slowest files: ${slowest.map(([file, taken]) => `${file} ${taken.toFixed(0)} s`).join(', ')}`)
  const strict = process.env['CI'] === 'true'
  for (const failure of failures) console.log(`failed: ${failure}`)
  if (strict && skipped > 0) console.log(`${skipped} tests were skipped: with CI=true that counts as failed`)
  const failedInAll = failed + (strict ? skipped : 0)
  console.log(`${passed} passed, ${failedInAll} failed${strict || skipped === 0 ? '' : `, ${skipped} skipped`}`)
  process.exitCode = failedInAll > 0 || passed === 0 ? 1 : 0
}

await runAll(files.filter(apart), availableParallelism())
// One file after the other: live tests share the kernel's interfaces and this machine's cores.
await runAll(files.filter(file => !apart(file)), 1)
report()
