/** Who spoke: the processes at the local ends of connections, against what those processes know of themselves. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmdirSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cgroup2MountPath } from '../../lib/ebpf/mod.ts'
import { Gateway } from './testing/gateway.ts'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { Network } from './testing/network.ts'
import { Running, run } from './testing/process.ts'

const PYTHON = '/usr/bin/python3'
const CURL = '/usr/bin/curl'
const PORT = 18141
const SERVERS = { fork: 18142, pass: 18143, late: 18144 } as const
const here = (file: string): string => fileURLToPath(new URL(`testing/${file}`, import.meta.url))
const CLIENT = here('process-client.py')
const URL_BASE = `http://127.0.0.1:${PORT}`

interface LoggedProcess {
  pid?: number
  title?: string
  executable?: { name?: string; path?: string }
  command_line?: string
  owner?: string
  user?: { id?: number }
  linux?: { cgroup?: string }
}
type Named = LoggedRecord & {
  client?: { process?: LoggedProcess; container?: { id?: string; runtime?: { name?: string } }; systemd?: { unit?: string } }
  server?: { process?: LoggedProcess }
}

let gateway: Gateway
let lintel: Lintel
const servers: Running[] = []
const early = new Agent({ keepAlive: true, maxSockets: 1 })
let earlySilent: { readonly pid: number; readonly input: NodeJS.WritableStream }

/** nginx's own word for who answered: its worker's pid, by request id. */
function workers(): Map<string, number> {
  const lines = readFileSync(join(gateway.directory, 'who.log'), 'latin1').split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
}

async function exchangeOf(path: string): Promise<Named> {
  const [first] = await lintel.exchanges(path)
  return first as Named
}

async function ask(agent: Agent, path: string): Promise<void> {
  const asked = request(`${URL_BASE}${path}`, { agent, headers: { 'x-request-id': path.slice(1) } })
  asked.end()
  const [response] = await once(asked, 'response') as [NodeJS.ReadableStream]
  response.resume()
  await once(response, 'end')
}

before(async () => {
  gateway = await Gateway.start({
    listen: [`127.0.0.1:${PORT} reuseport`], workers: 3,
    http: 'log_format who "$http_x_request_id $pid"; access_log who.log who;',
  })
  for (const [mode, port] of Object.entries(SERVERS)) {
    const server = new Running(PYTHON, [here('process-server.py'), mode, String(port)])
    servers.push(server)
    await server.until(() => server.output.includes('ready'), 'listening port')
  }
  // Connections that are there before the agent: one that has spoken, one that has not.
  await ask(early, '/before')
  const child = spawn(PYTHON, [CLIENT, 'twice', String(PORT), '/early-silent'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  earlySilent = { pid: child.pid!, input: child.stdin }
  lintel = await Lintel.start(['--interface', 'lo', '--kind', 'exchange', '--kind', 'connection', '--field', 'client.*', '--field', 'server.*',
    ...[PORT, ...Object.values(SERVERS)].flatMap((port) => ['--port', String(port)])])
})

after(async () => {
  early.destroy()
  await lintel.stop()
  lintel.remove()
  for (const server of servers) await server.stop('SIGKILL')
  await gateway.stop()
})

test('connections older than the agent: both ends are named at their next exchange', async () => {
  await ask(early, '/early')
  earlySilent.input.write('\n')
  const spoken = await exchangeOf('/early')
  const silent = await exchangeOf('/early-silent')
  assert.equal(spoken.client?.process?.pid, process.pid)
  assert.equal(spoken.client.process.executable?.path, realpathSync(process.execPath))
  assert.equal(silent.client?.process?.pid, earlySilent.pid)
  await gatewayLogged(['early'])
  assert.equal(spoken.server?.process?.pid, workers().get('early'))
  assert.equal(silent.server?.process?.executable?.name, 'nginx')
})

/** nginx writes its log once a second. */
async function gatewayLogged(ids: readonly string[]): Promise<void> {
  await lintel.process.until(() => ids.every((id) => workers().has(id)), 'nginx to have logged')
}

interface Started { readonly id: string; readonly pid: number; readonly executable: string; readonly args: readonly string[] }

function shortLived(index: number): Started {
  const id = `short-${index}`
  const url = `${URL_BASE}/${id}`
  const header = `X-Request-ID: ${id}`
  const script = `require('http').get('${url}', { headers: { 'x-request-id': '${id}' } }, (r) => r.resume())`
  const [executable, args] = index % 10 === 0 ? [process.execPath, ['-e', script]]
    : index % 3 === 0
      ? [PYTHON, ['-Sc', `import urllib.request as u; u.urlopen(u.Request('${url}', headers={'X-Request-ID': '${id}'})).read()`]]
      : [CURL, ['-s', '-o', '/dev/null', '-H', header, url]]
  const child = spawn(executable, args, { stdio: 'ignore' })
  return { id, pid: child.pid!, executable: realpathSync(executable), args: [executable, ...args] }
}

test('a hundred short-lived processes against a gateway with several workers: each end is named right', async () => {
  const started: Started[] = []
  for (let index = 0; index < 100; index++) {
    started.push(shortLived(index))
    // A handful at a time: their pids and sockets mix, and the machine still breathes.
    if (index % 8 === 7) await lintel.exchanges(`/${started.at(-1)!.id}`)
  }
  const ids = new Set(started.map(({ id }) => `/${id}`))
  const logged = await lintel.until((record) => record.kind === 'exchange' && ids.has(record.url?.path ?? ''), 100, 20_000) as Named[]
  await gatewayLogged(started.map(({ id }) => id))
  const answered = workers()
  assert.equal(logged.length, 100)
  for (const { id, pid, executable, args } of started) {
    const { client, server } = logged.find((record) => record.url?.path === `/${id}`)!
    assert.deepEqual([id, client?.process?.pid, client?.process?.executable?.path, client?.process?.command_line, client?.process?.owner,
      client?.process?.user?.id], [id, pid, executable, args.join(' '), userInfo().username, userInfo().uid])
    assert.deepEqual([id, server?.process?.pid, server?.process?.executable?.name, server?.process?.command_line],
      [id, answered.get(id), 'nginx', 'nginx: worker process'])
  }
  assert.ok(new Set(answered.values()).size > 1, 'several workers answered')
})

test('the record of a connection names both ends as its exchanges do', async () => {
  const exchange = await exchangeOf('/short-5')
  const [closed] = await lintel.until((record) => record.kind === 'connection' && record.event?.name === 'close'
    && record.network?.connection?.id === exchange.network?.connection?.id, 1) as Named[]
  assert.deepEqual([closed?.client?.process, closed?.server?.process], [exchange.client?.process, exchange.server?.process])
})

for (const [mode, what] of [
  ['fork', 'a server that forks: the child that answers is named, not the parent that accepted'],
  ['pass', 'a descriptor passed to another process: who reads and answers is named'],
  ['late', 'one process reads the request and another answers it: who answers is named'],
] as const) {
  test(what, async () => {
    for (let index = 0; index < 10; index++) {
      const path = `/${mode}-${index}`
      const answered = Number(await run(CURL, ['-s', `http://127.0.0.1:${SERVERS[mode]}${path}`]))
      const { client, server } = await exchangeOf(path)
      assert.equal(client?.process?.executable?.path, realpathSync(CURL))
      assert.equal(server?.process?.pid, answered, path)
      assert.equal(server.process.executable?.path, realpathSync(PYTHON))
    }
  })
}

test('a process that ends at once after it has sent is named', async () => {
  for (let index = 0; index < 10; index++) {
    const child = spawn(PYTHON, ['-S', CLIENT, 'gone', String(PORT), `/gone-${index}`], { stdio: 'ignore' })
    await once(child, 'exit')
    const { client } = await exchangeOf(`/gone-${index}`)
    assert.equal(client?.process?.pid, child.pid)
    assert.equal(client?.process?.command_line, `${PYTHON} -S ${CLIENT} gone ${PORT} /gone-${index}`)
  }
})

test('a program that takes over a socket by exec is named, not the one that opened it', async () => {
  const child = spawn(PYTHON, [CLIENT, 'exec', String(PORT), '/exec'], { stdio: 'ignore' })
  await once(child, 'exit')
  const { client } = await exchangeOf('/exec')
  assert.match(client?.process?.command_line ?? '', /^sh -c printf/)
  assert.notEqual(client?.process?.executable?.path, realpathSync(PYTHON))
})

test('two processes that had one pid after the other are two', async (context) => {
  const text = await run(PYTHON, [CLIENT, 'reuse', String(PORT), '/reuse']).catch((error: unknown) => String(error))
  if (text.includes('no pid came twice')) {
    context.skip('other processes of this machine took each pid')
    return
  }
  const [pid, attempt] = text.split(' ').map(Number)
  const first = await exchangeOf(`/reuse/first/${attempt}`)
  const second = await exchangeOf(`/reuse/second/${attempt}`)
  assert.deepEqual([first.client?.process?.pid, second.client?.process?.pid], [pid, pid])
  assert.deepEqual([first.client?.process?.executable?.path, second.client?.process?.executable?.path],
    [realpathSync(PYTHON), realpathSync(CURL)])
})

test('another user, and a cgroup named as Docker names them', async (context) => {
  const root = cgroup2MountPath()
  if (root === undefined) {
    context.skip('no cgroup v2 is mounted')
    return
  }
  const id = 'ab'.repeat(32)
  const parent = join(root, `lintel-${process.pid}`)
  const cgroup = join(parent, `docker-${id}.scope`)
  mkdirSync(cgroup, { recursive: true })
  try {
    await run('/bin/sh', ['-c', `echo $$ > ${cgroup}/cgroup.procs; exec setpriv --reuid=65534 --clear-groups ${CURL} -s -o /dev/null ${URL_BASE}/boxed`])
    const { client } = await exchangeOf('/boxed')
    assert.deepEqual([client?.process?.owner, client?.process?.user?.id], ['nobody', 65534])
    assert.equal(client?.process?.linux?.cgroup, `/lintel-${process.pid}/docker-${id}.scope`)
    assert.deepEqual([client?.container?.id, client?.container?.runtime?.name], [id, 'docker'])
  } finally {
    rmdirSync(cgroup)
    rmdirSync(parent)
  }
})

test('secrets in a command line are in no output', async () => {
  const secret = 'maple9syrup'
  await run(CURL, ['-s', '-o', '/dev/null', '-u', `bob:${secret}`, '-H', `X-Api-Key: ${secret}`, `${URL_BASE}/secret-curl`])
  await run('/bin/sh', ['-c', `${PYTHON} -Sc "import urllib.request as u; u.urlopen('${URL_BASE}/secret-python').read()" --password ${secret}; true`])
  await lintel.until((record) => record.kind === 'connection' && record.event?.name === 'close'
    && (record as Named).client?.process?.command_line?.includes('secret-python') === true, 1)
  const python = await exchangeOf('/secret-python')
  assert.match(python.client?.process?.command_line ?? '', /--password REDACTED$/)
  for (const file of readdirSync(lintel.directory)) assert.ok(!readFileSync(join(lintel.directory, file), 'latin1').includes(secret), file)
  assert.ok(!lintel.process.errors.includes(secret))
})

test('ends in other network namespaces are named where their packets come in', async () => {
  const network = new Network()
  const inside = await Gateway.start({ listen: ['80'], namespace: network.server })
  const watching = await Lintel.start(['--interface', network.serverInterface], network.server)
  try {
    await run('ip', ['netns', 'exec', network.client, CURL, '-s', '-o', '/dev/null', `http://${network.server4}/apart`])
    const [exchange] = await watching.exchanges('/apart') as Named[]
    assert.equal(exchange?.client?.process?.command_line, `${CURL} -s -o /dev/null http://${network.server4}/apart`)
    assert.equal(exchange.server?.process?.command_line, 'nginx: worker process')
  } finally {
    await watching.stop()
    watching.remove()
    await inside.stop()
    network.remove()
  }
})

for (const attach of ['clsact', 'cgroup']) {
  test(`--attach ${attach} names both ends`, async () => {
    const other = await Lintel.start(['--attach', attach, '--interface', 'lo', '--port', String(PORT)])
    try {
      await run(CURL, ['-s', '-o', '/dev/null', `${URL_BASE}/${attach}`])
      const [exchange] = await other.exchanges(`/${attach}`) as Named[]
      assert.equal(exchange?.client?.process?.command_line, `${CURL} -s -o /dev/null ${URL_BASE}/${attach}`)
      assert.equal(exchange.server?.process?.command_line, 'nginx: worker process')
    } finally {
      await other.stop()
      other.remove()
    }
  })
}

test('switched off, no process is named', async () => {
  const off = await Lintel.start(['--interface', 'lo', '--port', String(PORT), '--no-processes'])
  try {
    await run(CURL, ['-s', '-o', '/dev/null', `${URL_BASE}/off`])
    const [exchange] = await off.exchanges('/off') as Named[]
    assert.deepEqual([exchange?.client?.process, exchange?.server?.process], [undefined, undefined])
  } finally {
    await off.stop()
    off.remove()
  }
})
