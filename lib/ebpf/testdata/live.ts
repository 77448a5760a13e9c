import { test } from 'node:test'
import type { TestContext } from 'node:test'

const isRoot = process.getuid?.() === 0
const isCi = process.env['CI'] === 'true'

/** A test on the running kernel. Without root it is skipped, but in CI that is a failure. */
export function live(title: string, body: (t: TestContext) => void | Promise<void>): void {
  const skip = isRoot || isCi ? false : 'needs root: run "sudo node --test"'
  test(title, { skip, timeout: 60_000 }, async (t) => {
    if (!isRoot) throw new Error('Cannot run on the live kernel: CI must run the tests as root')
    await body(t)
  })
}
