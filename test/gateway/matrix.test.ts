/** curl and h2load against nginx in each protocol that both ends speak: the log holds what nginx's own log holds, each once. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel } from './testing/lintel.ts'
import { Running, run } from './testing/process.ts'
import { TlsFolder } from './testing/tls-peers.ts'

/** Port of each protocol; h2load takes HTTP/1.1 by a flag. */
const CELLS = { http1: 18_601, https1: 18_602, h2c: 18_603, h2: 18_604 } as const
const NAMES = ['user-agent', 'x-same', 'x-cell', 'x-odd', 'x-index', 'accept'] as const
const FORMAT = ['server_port', 'uri', 'status', ...NAMES.map((name) => `http_${name.replace('-', '_')}`)]

function clientRuns(name: keyof typeof CELLS): [string, string[]][] {
  const headers = (client: string): string[] => ['-H', `x-cell: ${client}-${name}`, '-H', 'x-same: again', '-H', 'x-odd: a;b="c, d"=']
  const url = (client: string): string => `${name === 'https1' || name === 'h2' ? 'https' : 'http'}://127.0.0.1:${CELLS[name]}/${client}`
  const version = { http1: '--http1.1', https1: '--http1.1', h2c: '--http2-prior-knowledge', h2: '--http2' }[name]
  const curls = Array.from({ length: 5 }, (_, index): [string, string[]] =>
    ['curl', ['-sk', version, ...headers('curl'), '-H', `x-index: ${index}`, `${url('curl')}/${index}`]])
  const first = name === 'http1' || name === 'https1' ? ['--h1'] : []
  const load: [string, string[]] = ['h2load', [...first, '-n200', '-c2', ...headers('h2load'), url('h2load')]]
  return [...curls, load]
}

test('every exchange that nginx recorded is logged once, with its headers, port, scheme, version and status', async (t) => {
  const folder = await TlsFolder.make()
  const log = join(folder.path, 'access')
  const format = `{${FORMAT.map((name) => `"${name}":"$${name}"`).join(',')}}`
  const listen = (port: number, words: string): string =>
    `server { listen 127.0.0.1:${port} ${words}; ssl_certificate ${folder.certificate}; ssl_certificate_key ${folder.key}; location / { return 200 ok; } }`
  const config = folder.write('nginx.conf', `daemon off; pid ${folder.path}/pid; error_log stderr; events {} http {
    log_format all escape=json '${format}'; access_log ${log} all; keepalive_requests 100000;
    ${listen(CELLS.http1, '')} ${listen(CELLS.https1, 'ssl')} ${listen(CELLS.h2c, 'http2')} ${listen(CELLS.h2, 'ssl http2')} }`)
  const nginx = new Running('nginx', ['-c', config])
  await nginx.until(() => existsSync(join(folder.path, 'pid')), 'pid')
  const lintel = await Lintel.start(['--port', `${CELLS.http1}-${CELLS.h2}`, '--interface', 'lo'])
  try {
    for (const name of Object.keys(CELLS) as (keyof typeof CELLS)[]) for (const [command, args] of clientRuns(name)) await run(command, args)
    const server = readFileSync(log, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, string>)
    await lintel.until((record) => record.kind === 'exchange', server.length)
    await delay(500)
    assert.match(await lintel.stop(), /adds up/)
    const logged = lintel.now().filter(({ kind }) => kind === 'exchange').map((record) => {
      const secure = record.server?.port === CELLS.https1 || record.server?.port === CELLS.h2
      assert.equal(record.url?.scheme, secure ? 'https' : 'http')
      assert.equal(record.network?.protocol?.version, Number(record.server?.port) >= CELLS.h2c ? '2' : '1.1')
      return [record.server?.port, record.url.path, record.http?.response?.status_code,
        ...NAMES.map((name) => record.http?.request?.header?.[name]?.join(', ') ?? '')].join('|')
    })
    assert.deepEqual(logged.sort(), server.map((line) => FORMAT.map((name) => line[name]).join('|')).sort())
    assert.equal(server.length, 4 * 205)
    t.diagnostic(`${server.length} exchanges, each once`)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await nginx.stop()
    folder.remove()
  }
})
