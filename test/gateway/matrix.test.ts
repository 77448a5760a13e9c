/** curl, h2load, wrk, Python and nghttp against nginx in each protocol that both ends speak: the log holds what nginx's own log holds, each once. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel } from './testing/lintel.ts'
import { Running, run } from './testing/process.ts'
import { TlsFolder } from './testing/tls-peers.ts'

/** Port of each protocol. wrk and Python's http.client have no HTTP/2, nghttp has no HTTP/1. */
const CELLS = { http1: 18_601, https1: 18_602, h2c: 18_603, h2: 18_604 } as const
const NAMES = ['user-agent', 'x-same', 'x-cell', 'x-odd', 'x-index', 'accept'] as const
const FORMAT = ['server_port', 'uri', 'status', ...NAMES.map((name) => `http_${name.replace('-', '_')}`)]

/** X-Same comes twice; one connection asks five times. */
const PYTHON = `
import http.client, ssl, sys
name, port = sys.argv[1:]
c = http.client.HTTPConnection('127.0.0.1', int(port))
if name == 'https1': c = http.client.HTTPSConnection('127.0.0.1', int(port), context=ssl._create_unverified_context())
for i in range(5):
    c.putrequest('GET', '/python/%d' % i)
    for h in [('x-cell', 'python-' + name), ('x-same', 'one'), ('x-same', 'two'), ('x-odd', '"'), ('x-index', str(i))]: c.putheader(*h)
    c.endheaders()
    c.getresponse().read()
`

function clientRuns(name: keyof typeof CELLS, pace: string): [string, string[]][] {
  const headers = (client: string): string[] => ['-H', `x-cell: ${client}-${name}`, '-H', 'x-same: again', '-H', 'x-odd: a;b="c, d"=']
  const url = (client: string): string => `${name === 'https1' || name === 'h2' ? 'https' : 'http'}://127.0.0.1:${CELLS[name]}/${client}`
  const version = { http1: '--http1.1', https1: '--http1.1', h2c: '--http2-prior-knowledge', h2: '--http2' }[name]
  const curls = Array.from({ length: 5 }, (_, index): [string, string[]] =>
    ['curl', ['-sk', version, ...headers('curl'), '-H', `x-index: ${index}`, `${url('curl')}/${index}`]])
  const first = name === 'http1' || name === 'https1' ? ['--h1'] : []
  const load: [string, string[]] = ['h2load', [...first, '-n200', '-c2', ...headers('h2load'), url('h2load')]]
  if (first.length === 0) return [...curls, load, ['nghttp', ['-n', ...headers('nghttp'), url('nghttp')]]]
  const wrk: [string, string[]] = ['wrk', ['-t1', '-c2', '-d1s', '-s', pace, ...headers('wrk'), url('wrk')]]
  const python: [string, string[]] = ['python3', ['-c', PYTHON, name, String(CELLS[name])]]
  return [...curls, load, wrk, python]
}

test('every exchange that nginx recorded is logged once, with its headers, port, scheme, version and status', async (t) => {
  const folder = await TlsFolder.make()
  // wrk waits 10 ms before each request: a few hundred in all.
  const pace = folder.write('pace.lua', 'function delay() return 10 end')
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
    for (const name of Object.keys(CELLS) as (keyof typeof CELLS)[]) for (const [command, args] of clientRuns(name, pace)) await run(command, args)
    const server = readFileSync(log, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, string>)
    await lintel.until((record) => record.kind === 'exchange', server.length)
    await delay(500)
    assert.match(await lintel.stop(), /adds up/)
    const logged = lintel.now().filter(({ kind }) => kind === 'exchange').map((record) => {
      const secure = record.server?.port === CELLS.https1 || record.server?.port === CELLS.h2
      assert.equal(record.url?.scheme, secure ? 'https' : 'http')
      assert.equal(record.network?.protocol?.version, Number(record.server?.port) >= CELLS.h2c ? '2' : '1.1')
      const python = record.http?.request?.header?.['x-cell']?.[0]?.startsWith('python') === true
      const values = record.http?.request?.header
      for (const name of NAMES) {
        // nginx before 1.23 records the first value of a repeated header: the second is what the client sends.
        if (python && name === 'x-same') assert.deepEqual(values?.[name], ['one', 'two'])
        else assert.ok((values?.[name]?.length ?? 0) <= 1)
      }
      return [record.server?.port, record.url.path, record.http?.response?.status_code,
        ...NAMES.map((name) => record.http?.request?.header?.[name]?.[0] ?? '')].join('|')
    })
    assert.deepEqual(logged.sort(), server.map((line) => FORMAT.map((name) => line[name]).join('|')).sort())
    const cells = new Map<string, number>()
    for (const { http_x_cell: cell } of server) cells.set(cell!, (cells.get(cell!) ?? 0) + 1)
    for (const name of Object.keys(CELLS)) {
      assert.equal(cells.get(`curl-${name}`), 5)
      assert.equal(cells.get(`h2load-${name}`), 200)
      const one = name.startsWith('http')
      assert.equal(cells.get(`nghttp-${name}`), one ? undefined : 1)
      assert.equal(cells.get(`python-${name}`), one ? 5 : undefined)
      assert.equal((cells.get(`wrk-${name}`) ?? 0) > 0, one)
    }
    t.diagnostic([...cells].map(([cell, count]) => `${cell} ${count}`).join(', '))
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await nginx.stop()
    folder.remove()
  }
})
