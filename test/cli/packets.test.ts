/** `lintel replay --packets`: tshark reads what was copied, and finds the packets that its own filter chooses. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { PcapWriter } from '../../lib/pcap/mod.ts'
import { BlockWriter } from '../../lib/pcap/testing/blocks.ts'
import { TcpConversation } from '../../lib/pcap/tcp-conversation.ts'
import { CORPORA, hasCorpora } from '../conformance/testing/corpora.ts'
import { lintel } from './testing/lintel.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-packets-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const FIELDS = ['frame.time_epoch', 'frame.len', 'ip.src', 'ip.dst', 'tcp.srcport', 'tcp.dstport', 'tcp.flags', 'tcp.seq_raw', 'frame.comment', 'frame.interface_name']
const COMMENT = 1

/** Without it the test is skipped; with CI=true missing means failed. */
function hasTshark(context: TestContext): boolean {
  if (spawnSync('tshark', ['--version']).status === 0) return true
  if (process.env['CI'] === 'true') throw new Error('Cannot find tshark: install it')
  context.skip('no tshark')
  return false
}

/** Lines of the packets that pass tshark's filter. */
function told(file: string, filter = ''): string[] {
  const fields = FIELDS.flatMap(name => ['-e', name])
  return execFileSync('tshark', ['-n', '-r', file, '-Y', filter, '-T', 'fields', ...fields], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .split('\n').filter(line => line !== '').map(line => line.replace(/\tunknown$/, '\t')) // of an interface without a name; of pcap it says nothing
}

function copied(name: string, ...args: string[]): string {
  const out = join(folder, `${name}.pcapng`)
  const { status, stderr } = lintel(['replay', ...args, '--packets', out, '--output', `file:${join(folder, `${name}.ndjson`)}`])
  assert.equal(status, 0, stderr)
  assert.match(stderr, /packets: \d+ of \d+, of \d+ connections, in .* \(raw, with their secrets\)/)
  return out
}

function refused(args: string[], message: RegExp): void {
  const { status, stderr } = lintel(['replay', ...args])
  assert.equal(status, 2, stderr)
  assert.match(stderr, message)
}

/** Two connections as frames: to port 80, and to port 8080. */
function conversations(): Uint8Array[] {
  const response = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n')
  return [80, 8080].flatMap(serverPort =>
    TcpConversation.of([[Buffer.from(`GET /${serverPort} HTTP/1.1\r\nhost: a\r\n\r\n`), response]], { serverPort }).frames())
}

test('the packets of the chosen connections, from the handshake on, are those that tshark finds', context => {
  if (!hasCorpora(context) || !hasTshark(context)) return
  const capture = `${CORPORA}/zeek-btest/traces/workshop_2011_browse.pcap`
  const out = copied('browse', capture, '--filter', 'url.path.endsWith(".css")')
  const records = readFileSync(join(folder, 'browse.ndjson'), 'utf8').trimEnd().split('\n')
    .map(line => JSON.parse(line) as { readonly client: { readonly port: number } })
  const ports = [...new Set(records.map(({ client }) => client.port))]
  const wanted = told(capture, ports.map(port => `tcp.port == ${port}`).join(' || '))
  assert.ok(ports.length > 0 && wanted.length > 10 && wanted.length < told(capture).length, `${ports.length} ports, ${wanted.length} packets`)
  assert.deepEqual(told(out), wanted)
  assert.equal(told(out, 'tcp.flags.syn == 1').length, 2 * ports.length)
  assert.equal(statSync(out).mode & 0o777, 0o600)
})

test('of a pcapng file nanoseconds, comments and interfaces stay, secrets of other connections do not', context => {
  if (!hasTshark(context)) return
  for (const bigEndian of [false, true]) {
    const secrets = Buffer.from('CLIENT_RANDOM of another\n')
    const writer = new BlockWriter(bigEndian).section()
    writer.block(10, Buffer.concat([writer.u32(0x544c534b), writer.u32(secrets.length), secrets]))
      .interface(1, [[2, Buffer.from('eth7')], [9, Uint8Array.of(9)]]).interface(1, [[2, Buffer.from('eth8')], [9, Uint8Array.of(9)]])
    conversations().forEach((frame, index) => {
      writer.enhanced(index % 2, 1_700_000_000_123_456_789n + BigInt(index), frame, { options: [[COMMENT, Buffer.from(`frame ${index}`)]] })
    })
    const path = join(folder, `comments-${bigEndian}.pcapng`)
    writeFileSync(path, writer.bytes())
    const out = copied(`chosen-${bigEndian}`, path, '--filter', 'server.port == 8080')
    const wanted = told(path, 'tcp.port == 8080')
    assert.ok(wanted.length > 4 && wanted.some(line => /\.123456\d{3}\t.*frame \d+\teth8$/.test(line)), wanted[0])
    assert.deepEqual(told(out), wanted)
    assert.equal(readFileSync(out).includes('CLIENT_RANDOM'), false)
  }
})

test('several files become one; what cannot be done is refused with the mend', context => {
  if (!hasTshark(context)) return
  const [first, second] = ['first', 'second'].map(name => {
    const path = join(folder, `${name}.pcap`)
    const chunks: Uint8Array[] = []
    const writer = new PcapWriter(chunk => chunks.push(chunk.slice()))
    conversations().forEach((frame, index) => {
      writer.packet(frame, name === 'first' ? 1_700_000_000 : 1_700_001_000, index)
    })
    writeFileSync(path, Buffer.concat(chunks))
    return path
  }) as [string, string]
  const out = copied('both', first, second, '--filter', 'url.path == "/80"')
  assert.deepEqual(told(out).map(line => line.split('\t')[0]), [first, second].flatMap(path => told(path, 'tcp.port == 80')).map(line => line.split('\t')[0]))
  refused([first, '--packets', out], /it is there already; choose another name or remove it/)
  const config = join(folder, 'anonymous.yaml')
  writeFileSync(config, 'privacy: {addresses: {truncate: {}}}\n')
  refused([first, '--config', config, '--packets', join(folder, 'none.pcapng')], /privacy.addresses of the config hides their addresses/)
  refused(['-', '--packets', join(folder, 'none.pcapng')], /it is read twice, which only a file can be/)
})
