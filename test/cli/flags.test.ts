import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { lintel, root } from './testing/lintel.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-cli-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const badConfig = join(folder, 'bad.yaml')
writeFileSync(badConfig, 'capture:\n  prots: [80]\n')
const goodConfig = join(folder, 'good.yaml')
writeFileSync(goodConfig, 'capture:\n  ports: [80]\n')

/** Each: the arguments, and what standard error says; exit code 2, nothing on standard output. */
const WRONG: [args: string[], said: RegExp][] = [
  [['rn'], /unknown command 'rn'\n\(Did you mean run\?\)/],
  [['run', '--prot', '80'], /unknown option '--prot'\n\(Did you mean --port\?\)/],
  [['run', 'extra'], /too many arguments/],
  [['run', '--port'], /option '-p, --port <port>' argument missing/],
  [['run', '--port', '70000'], /Cannot use --port "70000": must be between 1 and 65535/],
  [['run', '--port', '90-80'], /must begin with the lower port: write 80-90/],
  [['run', '--port', 'http'], /must be a port or a range, e\.g\. 80 or 8000-8999/],
  [['run', '--interface', 'no/such'], /Cannot use --interface "no\/such": must be the name of an interface/],
  [['run', '--interface', 'eth99'], /Cannot capture on "eth99": there is no such interface; there are .*\blo\b/],
  [['run', '--include', '10.1.2.3/8'], /Cannot use --include "10\.1\.2\.3\/8": .*write 10\.0\.0\.0\/8 for all of it/],
  [['run', '--exclude', 'lan'], /must be an IPv4 or IPv6 address or network/],
  [['run', '--protocol', 'sctp'], /Cannot use --protocol "sctp": must be tcp, udp, icmp or arp/],
  [['run', '--attach', 'tc'], /must be tcx, clsact, xdp, socket or cgroup; it is "tc"; did you mean "tcx"\?/],
  [['run', '--transport', 'rng'], /must be ring or perf; it is "rng"; did you mean "ring"\?/],
  [['run', '--sample', 'abc'], /Cannot use --sample "abc": must be a number above 0/],
  [['run', '--sample', '0'], /must be above 0/],
  [['run', '--ring-bytes', '12'], /Cannot use --ring-bytes "12": must be at least 64KiB: it is 12/],
  [['run', '--output', 'fil:x'], /there is no type "fil"; use one of file:PATH, stdout, pretty, store:PATH; did you mean "file"\?/],
  [['run', '--output', 'webhook:http://x'], /Cannot use output "webhook" on the command line: it needs more than one word; write it under outputs in a config file/],
  [['run', '--output', 'file:'], /Cannot use output "file:": write file:PATH/],
  [['run', '--output', 'stdout:x'], /Cannot use output "stdout:x": write stdout/],
  [['run', '--output', 'stdout', '--output', 'pretty'], /must not write to standard output as outputs\[0\] does/],
  [['run', '--filter', 'http.request.methd == "GET"'], /Cannot use --filter: Cannot find field "http\.request\.methd": did you mean "http\.request\.method"\? \(1:1\)\n {2}http\.request\.methd == "GET"\n {2}\^{18}\n/],
  [['run', '--filter', ''], /Cannot use an empty filter/],
  [['run', '--kind', 'exchanges'], /did you mean "exchange"\?/],
  [['run', '--field', 'http.request.metod'], /Cannot use --field "http\.request\.metod": must be a field that exists.*did you mean "http\.request\.method"\?/],
  [['run', '--field', '!nope'], /Cannot use --field "nope"/],
  [['run', '--header', 'x y'], /must be a header name or a pattern/],
  [['run', '--header', '/(a)\\1/'], /linear time/],
  [['run', '--stats', '10'], /Cannot use --stats "10": Cannot read "10" as a duration/],
  [['run', '--open-after', 'soon'], /Cannot use --open-after "soon": Cannot read "soon" as a duration/],
  [['run', '--duration', '1ms'], /must be at least 10ms/],
  [['run', '--metrics', '0.0.0.0:9464'], /must be a port on this machine's loopback/],
  [['run', '--web', '0.0.0.0:9465'], /Cannot use --web "0\.0\.0\.0:9465": must be a loopback address, .* no web\.tls and web\.users: others would read .* ssh -L/],
  [['run', '--web', 'gateway:80'], /Cannot use --web "gateway:80": must be an address of this machine and a port, e\.g\. 127\.0\.0\.1:9465/],
  [['web', '--listen', '[::]:80', '--store', '/tmp'], /Cannot use --listen "\[::\]:80": must be a loopback address/],
  [['web', '--hash-password'], /Cannot use a password of 0 characters: write 10 or more to standard input/],
  [['web', '--store', '/nowhere'], /Cannot show the store "\/nowhere": there is no such folder; name it with --store DIR/],
  [['run', '--ready-file', '/nowhere/ready'], /Cannot use --ready-file "\/nowhere\/ready": .*; choose a path in a folder that is there/],
  [['run', '--config', '/nowhere.yaml'], /\/nowhere\.yaml: Cannot read the config file: there is no such file/],
  [['run', '--config', badConfig], /bad\.yaml:2:3: capture\.prots: there is no such key; did you mean "ports"\?/],
  [['run', '--config', goodConfig, '--port', '0'], /Cannot use --port "0"/],
  [['watch', '--web'], /unknown option '--web'/],
  [['watch', '--attach', 'nope'], /Cannot use --attach "nope"/],
  [['replay'], /missing required argument 'file'/],
  [['replay', '/nowhere.pcap'], /Cannot replay "\/nowhere\.pcap": there is no such file/],
  [['replay', '/tmp'], /Cannot replay "\/tmp": it is a folder; name the files in it/],
  [['replay', '--attach', 'tcx', 'x'], /unknown option '--attach'/],
  [['fields', '--format', 'jsn'], /Cannot use --format "jsn": it must be table, json, markdown; did you mean "json"\?/],
  [['config', 'check'], /missing required argument 'file'/],
  [['config', 'check', badConfig], /bad\.yaml:2:3: capture\.prots/],
]

for (const [args, said] of WRONG) {
  test(`lintel ${args.join(' ').replace(folder, '')} is refused with its mend`, () => {
    const { status, stdout, stderr } = lintel(args)
    assert.match(stderr, said)
    assert.equal(stdout, '')
    assert.equal(status, 2)
  })
}

test('help is printed for the program and for each command, exit code 0', () => {
  const { status, stdout } = lintel(['--help'])
  assert.equal(status, 0)
  for (const name of ['run', 'watch', 'replay', 'doctor', 'fields', 'config', 'version']) {
    assert.match(stdout, new RegExp(`^ {2}${name}\\b`, 'm'))
    const help = lintel([name, '--help'])
    assert.equal(help.status, 0, name)
    assert.match(help.stdout, new RegExp(`Usage: lintel ${name}`))
  }
})

test('without a command the help is printed to standard error, exit code 2', () => {
  const { status, stdout, stderr } = lintel([])
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /Usage: lintel/)
})

test('version is that of package.json', () => {
  assert.match(lintel(['version']).stdout, /^lintel \d+\.\d+\.\d+ \(node \d+/)
  assert.match(lintel(['--version']).stdout, /^\d+\.\d+\.\d+\n$/)
})

test('config check says ok, config schema is JSON Schema draft-07 that knows every section', () => {
  assert.deepEqual(lintel(['config', 'check', goodConfig]), { status: 0, stdout: `${goodConfig}: ok\n`, stderr: '' })
  const schema = JSON.parse(lintel(['config', 'schema']).stdout) as { $schema: string, additionalProperties: boolean, properties: Record<string, { description?: string }> }
  assert.equal(schema.$schema, 'http://json-schema.org/draft-07/schema#')
  assert.equal(schema.additionalProperties, false)
  for (const [name, section] of Object.entries(schema.properties)) {
    assert.ok(name === 'data_directory' || section.description !== undefined, `${name} is not described`)
  }
  assert.ok(['capture', 'privacy', 'outputs', 'filter'].every(name => Object.hasOwn(schema.properties, name)))
})

test('fields are listed as table, JSON and Markdown, all of them', () => {
  const list = JSON.parse(lintel(['fields', '--format', 'json']).stdout) as { name: string }[]
  assert.ok(list.length > 50)
  const table = lintel(['fields']).stdout
  const markdown = lintel(['fields', '--format', 'markdown']).stdout
  for (const { name } of list) {
    assert.ok(table.includes(`\n${name} `), name)
    assert.ok(markdown.includes(`| \`${name}\` |`), name)
  }
})

test('docs/ is what the code says', () => {
  const { status, stderr } = lintel(['tools/gen-docs.ts', '--check'], { program: [process.execPath], cwd: root })
  assert.equal(stderr, '')
  assert.equal(status, 0)
})

test('bin/lintel finds its checkout through symbolic links and from any folder', () => {
  const first = join(folder, 'one')
  const second = join(folder, 'two')
  symlinkSync(join(root, 'bin/lintel'), first)
  symlinkSync('one', second)
  assert.match(lintel(['version'], { program: [second], cwd: '/' }).stdout, /^lintel /)
  assert.match(lintel(['version'], { program: ['lintel'], cwd: '/', path: `${join(root, 'bin')}:${process.env['PATH']}` }).stdout, /^lintel /)
})

test('bin/lintel says what to run when nothing was installed', () => {
  mkdirSync(join(folder, 'bare', 'bin'), { recursive: true })
  const program = join(folder, 'bare', 'bin', 'lintel')
  copyFileSync(join(root, 'bin/lintel'), program)
  const { status, stderr } = lintel(['version'], { program: [program] })
  assert.match(stderr, /Cannot start: the libraries are not installed; run: make -C .*bare build/)
  assert.equal(status, 1)
})

test('a reader that stops reading is no failure', () => {
  const { status, stderr } = lintel(['-c', `"${join(root, 'bin/lintel')}" fields; echo "exit $?" >&2`], { program: ['sh'], stdout: 'closed' })
  assert.equal(stderr, 'exit 0\n')
  assert.equal(status, 0)
})
