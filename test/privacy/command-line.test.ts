/** Command lines of processes: whatever is secret in them stays behind the wall, and the rest can be read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldTable, RecordView, RecordWriter } from '../../lib/record/mod.ts'
import { FIELDS, fieldId, MARK_REASONS } from '../../src/exchange/fields.ts'
import type { PrivacyInput } from '../../src/privacy/mod.ts'
import { KIND_CONNECTION } from '../../wasm/layout.ts'
import { seededRandom, WallProbe } from './wall-probe.ts'

const ROOM = 1 << 16
const FIELD = fieldId('client.process.command_line')

class CommandLines {
  readonly #probe: WallProbe
  readonly #table: FieldTable
  readonly #writer: RecordWriter
  readonly #raw: number

  constructor(options: PrivacyInput = {}) {
    this.#probe = new WallProbe(options)
    this.#table = new FieldTable(this.#probe.memory, FIELDS, MARK_REASONS)
    this.#writer = new RecordWriter(this.#probe.memory, this.#table)
    this.#raw = this.#probe.memory.reserve(ROOM)
  }

  shown(...args: string[]): string {
    this.#writer.begin(KIND_CONNECTION, this.#raw, ROOM)
    this.#writer.string(FIELD, args.join('\0'))
    const record = this.#probe.wall.record({ pointer: this.#raw, length: this.#writer.end() })
    return String(new RecordView(this.#probe.memory, this.#table).at(record.pointer).get(FIELD) ?? '')
  }
}

const lines = new CommandLines()
/** Stands for a secret that nothing but its place gives away. */
const S = 'maple9syrup'

const HIDDEN: readonly (readonly [args: string[], shown: string])[] = [
  [['curl', '-u', `bob:${S}`, 'http://a/'], 'curl -u REDACTED http://a/'],
  [['curl', `-ubob:${S}`, 'http://a/'], 'curl -uREDACTED http://a/'],
  [['curl', '--user', `bob:${S}:x y`], 'curl --user REDACTED'],
  [['curl', `--proxy-user=bob:${S}`], 'curl --proxy-user=bob:REDACTED'],
  [['curl', '-H', `Authorization: Bearer ${S}`], 'curl -H Authorization: REDACTED'],
  [['curl', `-HX-Api-Key:${S}`], 'curl -HX-Api-Key:REDACTED'],
  [['curl', '--header', `Cookie: a=${S}; b=${S}`], 'curl --header Cookie: REDACTED'],
  [['wget', `--header=Authorization: Basic ${S}`], 'wget --header=Authorization: REDACTED'],
  [['http', 'GET', 'a.example', `X-Auth-Token:${S}`], 'http GET a.example X-Auth-Token:REDACTED'],
  [['curl', '-b', `sid=${S}`], 'curl -b REDACTED'],
  [['curl', `--cookie=sid=${S}`], 'curl --cookie=REDACTED'],
  [['curl', `http://bob:${S}@a.example/`], 'curl http://REDACTED:REDACTED@a.example/'],
  [['curl', '--data', `user=bob&password=${S}&x=1`], 'curl --data user=bob&password=REDACTED&x=1'],
  [['curl', '-d', `{"client_secret":"${S}"}`], 'curl -d {"client_secret":"REDACTED"}'],
  [['app', '--password', S, '--verbose'], 'app --password REDACTED --verbose'],
  [['app', '--password', `${S} with words`, 'run'], 'app --password REDACTED run'],
  [['app', `--password=${S} with words`, 'run'], 'app --password=REDACTED run'],
  [['app', `-password=${S}`], 'app -password=REDACTED'],
  [['app', '--api-key', S], 'app --api-key REDACTED'],
  [['app', '--token', S], 'app --token REDACTED'],
  [['app', `--access-token=${S}`], 'app --access-token=REDACTED'],
  // The value might be a scheme ("Bearer") and what follows the secret: then that is hidden too.
  [['env', `PGPASSWORD=${S}`, 'psql'], 'env PGPASSWORD=REDACTED'],
  [['/usr/bin/mysql', `-p${S}`, '-h', 'db'], '/usr/bin/mysql -pREDACTED -h db'],
  [['sshpass', '-p', S, 'ssh', 'a'], 'sshpass -p REDACTED ssh a'],
  [['redis-cli', '-a', S, 'ping'], 'redis-cli -a REDACTED ping'],
  [['ldapsearch', '-w', S], 'ldapsearch -w REDACTED'],
  [['smbclient', '-U', `bob%${S}`], 'smbclient -U bob%REDACTED'],
  [['openssl', 'rsa', '-passin', `pass:${S}`], 'openssl rsa -passin pass:REDACTED'],
  [['sh', '-c', `app --password ${S} --x`], 'sh -c app --password REDACTED --x'],
  [['sh', '-c', `app --password '${S} two' --x`], 'sh -c app --password \'REDACTED\' --x'],
  [['bash', '-c', `mysql -p${S} shop`], 'bash -c mysql -pREDACTED shop'],
  [['sh', '-c', `curl -s -u bob:${S} http://a/ | jq .`], 'sh -c curl -s -u REDACTED http://a/ | jq .'],
]

for (const [args, shown] of HIDDEN) {
  test(`hidden in a command line: ${args.join(' ').replaceAll(S, '...')}`, () => {
    assert.equal(lines.shown(...args), shown)
  })
}

const PLAIN: readonly string[][] = [
  ['nginx: worker process'],
  ['/usr/bin/node', 'server.js', '--port', '8080', '--host=0.0.0.0'],
  ['python3', '-m', 'http.server', '8000'],
  ['java', '-Xmx2g', '-jar', '/srv/app.jar', '--spring.profiles.active=prod'],
  ['docker-proxy', '-proto', 'tcp', '-host-ip', '0.0.0.0', '-host-port', '8080', '-container-ip', '172.17.0.2'],
  ['haproxy', '-f', '/etc/haproxy/haproxy.cfg', '-p', '/run/haproxy.pid'],
  ['nginx', '-c', '/etc/nginx/nginx.conf', '-g', 'daemon off;'],
  ['app', '--key', '/etc/ssl/private/key.pem', '--cert=/etc/ssl/cert.pem'],
  ['curl', '-H', 'Accept: application/json', 'http://127.0.0.1:8080/a?b=c'],
  ['curl', '-b', 'cookies.txt', 'http://a/'],
  ['docker', 'run', '-p', '8080:80', 'nginx:1.27'],
  ['envoy', '-c', 'envoy.yaml', '--concurrency', '2'],
]

for (const args of PLAIN) {
  test(`shown in a command line: ${args.join(' ')}`, () => { assert.equal(lines.shown(...args), args.join(' ')) })
}

test('names of the configuration count for arguments too', () => {
  assert.equal(new CommandLines({ query: { secret_names: ['syrup'] } }).shown('app', '--syrup', S), 'app --syrup REDACTED')
})

test('a planted secret is hidden however often it stands there', () => {
  const args = Array.from({ length: 300 }, () => ['--password', S]).flat()
  assert.doesNotMatch(lines.shown('app', ...args), /maple|syrup/)
})

test('any bytes give a line within its bound', () => {
  const random = seededRandom(77)
  const pieces = ['-', '--', '=', ':', '\0', ' ', '"', '\'', 'password', 'u', 'H', 'p', 'mysql', '/', 'é', '%', '@']
  for (let round = 0; round < 2000; round++) {
    const line = Array.from({ length: 1 + Math.floor(random() * 40) }, () => pieces[Math.floor(random() * pieces.length)]!).join('')
    const shown = lines.shown(line)
    assert.ok(shown.length <= 4 * line.length + 160)
    assert.ok(!shown.includes('\0'))
  }
})
