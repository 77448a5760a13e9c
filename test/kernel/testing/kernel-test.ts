import { test } from 'node:test'
import type { TestContext } from 'node:test'

const reason = process.getuid?.() === 0 ? undefined : 'loading programs into the kernel needs root; run "sudo make test"'

/** A test that loads kernel programs: skipped with the reason without root, failed instead where CI=true. */
export function kernelTest(title: string, body: (context: TestContext) => void | Promise<void>): void {
  if (reason !== undefined && process.env['CI'] !== 'true') {
    test(title, { skip: reason }, () => {})
    return
  }
  test(title, { timeout: 30_000 }, async (context) => {
    if (reason !== undefined) throw new Error(reason)
    await body(context)
  })
}
