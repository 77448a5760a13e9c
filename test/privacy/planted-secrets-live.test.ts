/**
 * Secrets in every place of live traffic and of captures, through every output of the real program: none of them, nor a
 * part of one, raw, encoded or packed, is found in any byte that the program wrote.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { LINTEL } from '../gateway/testing/lintel.ts'
import { run, Running } from '../gateway/testing/process.ts'
import { Tcpdump } from '../gateway/testing/tcpdump.ts'
import { RawClient, RawServer } from '../gateway/testing/raw-peer.ts'
import { plantedTraffic } from './testing/planted-traffic.ts'
import { leaks, readings } from './testing/secret-search.ts'

const PORT = 18130
const METRICS = '127.0.0.1:18131'
const SNAP_BYTES = 150
const BYTE_BY_BYTE = 'cookie'

const planted = plantedTraffic()
const secrets = planted.map(({ secret }) => secret)
const folder = mkdtempSync(join(tmpdir(), 'lintel-planted-'))
const capture = join(folder, 'capture.pcap')
const snapped = join(folder, 'snapped.pcap')
/** What the program wrote, by where. */
const written = new Map<string, Buffer>()

/** The whole of the traffic, one connection a place; one of them byte by byte. */
async function send(): Promise<void> {
  for (const { secret, request, response } of planted) {
    const server = await RawServer.start(PORT, (socket) => {
      // The answer comes at the request's last bytes, or when no more of it is accepted.
      let received = 0
      socket.on('data', (data) => {
        received += data.length
        if (received >= Buffer.byteLength(request, 'latin1')) socket.end(Buffer.from(response, 'latin1'))
      })
      socket.on('end', () => { socket.end() })
    })
    const client = await RawClient.connect(PORT)
    if (secret.place === BYTE_BY_BYTE) {
      for (const byte of request) {
        client.send(byte)
        await delay(1)
      }
    } else client.send(request)
    for (let tries = 0; tries < 200 && !client.received.endsWith(response.slice(-20)); tries++) await delay(5)
    client.socket.end()
    await delay(5)
    client.close()
    await server.stop()
  }
}

before(async () => {
  const everything = `
capture: {interfaces: [lo], ports: [${PORT}]}
kinds: [exchange, connection, packet, anomaly, handshake]
fields: {include: ["*"]}
`
  const config = join(folder, 'all.yaml')
  writeFileSync(config, `${everything}outputs:
  - {type: file, path: ${folder}/log/all.ndjson, rotate: {bytes: 64KiB}, keep: {files: 1000}}
  - {type: stdout}
stats: {interval: 200ms}
`)
  const live = ['--port', String(PORT), '--interface', 'lo', '--metrics', 'off']
  const filter = ['tcp', 'port', String(PORT)]
  const dumps = [
    await Tcpdump.start(capture, { interface: 'lo', filter }), await Tcpdump.start(snapped, { interface: 'lo', filter, bytes: SNAP_BYTES }),
  ]
  const agents = new Map([
    ['run', new Running(LINTEL, ['run', '--config', config, '--metrics', METRICS, '--ready-file', join(folder, 'ready')])],
    ['pretty', new Running(LINTEL, ['run', ...live, '--output', 'pretty', '--field', '*', '--ready-file', join(folder, 'ready-pretty')])],
    ['watch', new Running(LINTEL, ['watch', ...live, '--field', '*', '--ready-file', join(folder, 'ready-watch')])],
  ])
  await agents.get('run')!.untilFile(join(folder, 'ready'))
  await agents.get('pretty')!.untilFile(join(folder, 'ready-pretty'))
  await agents.get('watch')!.untilFile(join(folder, 'ready-watch'))
  written.set('ready file', readFileSync(join(folder, 'ready')))
  await send()
  await delay(600)
  await agents.get('run')!.until(() => readdirSync(join(folder, 'log')).some((name) => name.endsWith('.zst')), 'a packed file, once it is quiet')
  written.set('metrics', Buffer.from(await run('curl', ['-s', `http://${METRICS}/metrics`])))
  for (const [name, agent] of agents) {
    assert.equal(await agent.stop(), 0, agent.errors)
    written.set(`${name} stdout`, Buffer.from(agent.output))
    written.set(`${name} stderr`, Buffer.from(agent.errors))
  }
  for (const dump of dumps) await dump.stop()
  for (const name of readdirSync(join(folder, 'log'))) written.set(`file ${name}`, readFileSync(join(folder, 'log', name)))
})
after(() => { rmSync(folder, { recursive: true, force: true }) })

function assertNone(places: Iterable<readonly [string, Buffer]>): void {
  const found: string[] = []
  for (const [where, bytes] of places) for (const place of leaks(secrets, readings(bytes))) found.push(`${where}: ${place}`)
  assert.deepEqual(found, [])
}

test('the search finds each secret in the traffic itself, also packed and encoded', () => {
  assert.deepEqual(leaks(secrets, readings(readFileSync(capture))), secrets.map(({ place }) => place).filter((place) => place !== BYTE_BY_BYTE))
  const [first] = secrets
  for (const encoded of [Buffer.from(first!.plain).toString('base64'), Buffer.from(`x${first!.plain}`).toString('base64url'),
    Buffer.from(first!.plain).toString('hex'), first!.plain.toUpperCase(), first!.plain.slice(3, 14)]) {
    assert.deepEqual(leaks([first!], readings(Buffer.from(`"${encoded}"`))), [first!.place], encoded)
  }
})

test('the outputs hold the traffic: every kind of record, each output, rotated files that are packed', () => {
  const text = written.get('run stdout')!.toString()
  for (const kind of ['exchange', 'connection', 'packet', 'anomaly']) assert.ok(text.includes(`{"kind":"${kind}"`), kind)
  assert.ok((text.match(/"kind":"exchange"/g)?.length ?? 0) > secrets.length * 0.8)
  assert.match(text, /"authorization":\["Bearer REDACTED"\]/)
  assert.ok([...written.keys()].some((name) => name.endsWith('.zst')), [...written.keys()].join())
  assert.match(written.get('pretty stdout')!.toString(), /GET/)
  assert.match(written.get('watch stdout')!.toString(), /GET/)
  assert.match(written.get('run stderr')!.toString(), /stats .*\n.*totals after .*adds up/s)
  assert.match(written.get('metrics')!.toString(), /lintel_anomalies_total\{name="/)
})

test('live: no secret in any output, file, figure or word of the program', () => {
  assertNone(written)
})

test('replay of the capture, whole, cut short and with packets cut: no secret in any output', { timeout: 120_000 }, async () => {
  const cut = join(folder, 'cut.pcap')
  writeFileSync(cut, readFileSync(capture).subarray(0, Math.floor(statSync(capture).size * 0.7)))
  const streams = new Map<string, Buffer>()
  for (const [name, path, output] of [
    ['whole', capture, 'stdout'], ['whole, pretty', capture, 'pretty'], ['cut', cut, 'stdout'], ['packets cut', snapped, 'stdout'],
  ] as const) {
    const replay = new Running(LINTEL, ['replay', path, '--output', output, '--field', '*',
      ...['exchange', 'connection', 'packet', 'anomaly'].flatMap((kind) => ['--kind', kind])])
    assert.equal(await replay.finish(), 0, replay.errors)
    assert.ok(replay.output.length > 1000, name)
    streams.set(`replay ${name} stdout`, Buffer.from(replay.output))
    streams.set(`replay ${name} stderr`, Buffer.from(replay.errors))
  }
  assertNone(streams)
})

test('errors about a configuration never show its keys for hashes', async () => {
  const [secret] = secrets
  const short = secret!.plain.slice(0, 12) // a key that is too short, and long enough to be found
  writeFileSync(join(folder, 'key'), short, { mode: 0o600 })
  const streams = new Map<string, Buffer>()
  for (const [name, yaml] of [
    ['key in the file itself', `privacy: {hash_key: ${secret!.plain}}\n`],
    ['key file too short', `privacy: {hash_key_file: ${join(folder, 'key')}}\n`],
    ['key in a variable too short', 'privacy: {hash_key_env: LINTEL_TEST_KEY}\n'],
    ['key where its file is asked for', `privacy: {hash_key_file: [${secret!.plain}]}\n`],
  ] as const) {
    const path = join(folder, 'wrong.yaml')
    writeFileSync(path, yaml)
    for (const args of [['config', 'check', path], ['run', '--config', path, '--interface', 'lo', '--port', String(PORT), '--metrics', 'off', '--output',
      'stdout', '--duration', '10ms']]) {
      const program = new Running(LINTEL, args, { env: { ...process.env, LINTEL_TEST_KEY: short } })
      const code = await program.finish()
      if (args[0] === 'run') assert.notEqual(code, 0, `${name}: ${program.errors}`)
      streams.set(`${name}, ${args[0]}`, Buffer.from(program.output + program.errors))
    }
  }
  assertNone(streams)
})
