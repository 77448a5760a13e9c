import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './testing/lintel.ts'

const needsRoot = { skip: process.getuid?.() === 0 ? false : 'live capture needs root' }

for (const size of ['rows 24 cols 100', 'rows 0 cols 0']) test(`watch on a terminal of ${size}: lines, summary, pause, quit with the terminal restored`, needsRoot, async () => {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  // script(1) gives the program a terminal of its own.
  const command = `stty ${size}; exec "${root}bin/lintel" watch -i lo -p ${port} --no-tls --no-processes --metrics off`
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, TERM: 'xterm' } })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { shown += text })
  const until = async (pattern: RegExp) => {
    while (!pattern.test(shown)) {
      assert.equal(child.exitCode, null, shown)
      await sleep(20)
    }
  }
  const ask = async (path: string) => {
    const [response] = await once(get({ host: '127.0.0.1', port, path, agent: false }), 'response') as [NodeJS.ReadableStream]
    response.resume()
    await once(response, 'end')
  }
  try {
    await until(/watching lo; t summary, space pause, q quit/)
    await ask('/one')
    await until(/GET.*200.*127\.0\.0\.1\/one/)
    child.stdin.write('t')
    await until(/\x1b\[\?1049h[\s\S]*exchanges\/s over the last[\s\S]*GET 127\.0\.0\.1\/one/)
    child.stdin.write('t')
    await until(/\x1b\[\?25h\x1b\[\?1049l/)
    child.stdin.write(' ')
    await sleep(200)
    shown = ''
    child.stdin.write('t')
    await until(/exchanges\/s over the last/)
    child.stdin.write('t')
    await until(/\x1b\[\?1049l/)
    await ask('/paused')
    await sleep(500)
    child.stdin.write(' ')
    await until(/… 1 more/)
    assert.doesNotMatch(shown, /\/paused/)
    child.stdin.write('q')
    await once(child, 'exit')
    assert.equal(child.exitCode, 0, shown)
    assert.match(shown, /totals after .*: records seen 2 = logged 2 .*adds up/)
  } finally {
    child.kill('SIGKILL')
    server.close()
  }
})
