import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { numberedLines } from '../store/testing/stored.ts'
import { OpenPage, storeOf } from '../web/testing/open-page.ts'
import { root } from './testing/lintel.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-web-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('lintel web prints a link that opens the page over a store, another token each time, and ends by a signal', async () => {
  const store = join(folder, 'store')
  await storeOf(store, numberedLines(0, 10))
  const tokens = new Set<string>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const child = spawn(`${root}bin/lintel`, ['web', '--store', store, '--listen', '0'], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => { said += text })
    while (!said.includes('?token=')) await Promise.race([once(child.stderr, 'data'), once(child, 'exit')])
    const [, url, token] = /the page shows ".*" at (http:\/\/127\.0\.0\.1:\d+)\/\?token=([\w-]{43})\n/.exec(said) as unknown as [string, string, string]
    tokens.add(token)
    const page = new OpenPage()
    page.url = url
    const entered = await page.ask(`/?token=${token}`)
    page.cookie = entered.headers['set-cookie']?.[0]?.split(';')[0] as string
    assert.equal((await page.json<{ rows: number[][] }>('/api/view/totals')).rows[0]?.[0], 10)
    assert.deepEqual(await page.json('/api/about').then(about => [(about as { hasStore: boolean }).hasStore, (about as { isLive: boolean }).isLive]), [true, false])
    assert.equal((await page.ask('/api/live')).status, 404)
    child.kill(signal)
    assert.deepEqual(await once(child, 'exit'), [0, null])
    assert.match(said, /lintel: page: session 1 \(127\.0\.0\.1\) looked at view totals\n/)
  }
  assert.equal(tokens.size, 2)
})
