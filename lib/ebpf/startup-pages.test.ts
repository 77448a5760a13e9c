import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { releaseStartupPages } from './startup-pages.ts'

/** KiB of the mappings of a file that are resident, and of those the pages that were written to, by first address. */
function mappingsOf(path: string): { resident: number, own: Map<string, number> } {
  const own = new Map<string, number>()
  let resident = 0
  for (const [, from, name, rest] of readFileSync('/proc/self/smaps', 'utf8')
    .matchAll(/^([0-9a-f]+)-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)\n((?:[A-Z].*\n)+)/gm)) {
    if (name !== path) continue
    resident += Number(/^Rss: +(\d+)/m.exec(rest!)?.[1])
    own.set(from!, Number(/^Anonymous: +(\d+)/m.exec(rest!)?.[1]))
  }
  return { resident, own }
}

/** Relocated at its start, so that read-only mappings of it hold pages that differ from the file. */
const LIBC = /^.* (\/\S*libc[.-]\S*)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1]

test('releaseStartupPages() takes out most of the executable, and what is needed comes back', () => {
  const before = mappingsOf(process.execPath).resident
  const released = releaseStartupPages()
  const after = mappingsOf(process.execPath).resident
  assert.ok(released > 8 * 1024 * 1024, `released ${released} bytes`)
  assert.ok(after < before - 8 * 1024, `${before} KiB, then ${after} KiB`)
  assert.equal(new Intl.NumberFormat('de-DE').format(JSON.parse('1234567.5')), '1.234.567,5')
})

test('releaseStartupPages() leaves every page that was written to', { skip: LIBC === undefined && 'no libc.so is loaded' }, () => {
  const path = LIBC!
  const before = mappingsOf(path)
  const total = [...before.own.values()].reduce((sum, kib) => sum + kib, 0)
  assert.ok(total > 0, 'a test without such pages shows nothing')
  const released = releaseStartupPages(path)
  assert.ok(released > 0)
  assert.deepEqual(mappingsOf(path).own, before.own)
  assert.equal(Buffer.from('the library still works').toString('hex').length, 46)
})

test('releaseStartupPages() of a file that is not mapped does nothing', () => {
  assert.equal(releaseStartupPages('/nowhere/node'), 0)
})
