/** What keeps a run from starting: said in one line with the mend, exit code 1 or 2, nothing left in the kernel. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { UNPRIVILEGED } from '../../lib/ebpf/testdata/unprivileged.ts'
import { Gateway } from './testing/gateway.ts'
import { kernelObjects } from './testing/kernel-objects.ts'
import { LINTEL } from './testing/lintel.ts'
import { run, Running } from './testing/process.ts'

const PORT = '18115'
const MAP_TYPE_RINGBUF = '27'
const ATTACH_TYPE_TCX_INGRESS = '46'

const folder = mkdtempSync(join(tmpdir(), 'lintel-bad-start-'))
const oldKernel = join(folder, 'old-kernel.so')
before(() => {
  chmodSync(folder, 0o755)
  const source = fileURLToPath(new URL('testing/old-kernel.c', import.meta.url))
  execFileSync('clang-19', ['-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', oldKernel, source, '-ldl'])
})
after(() => { rmSync(folder, { recursive: true, force: true }) })

interface Ended { code: number; said: string }

async function lintel(args: string[], options: { before?: readonly string[]; env?: NodeJS.ProcessEnv } = {}): Promise<Ended> {
  const [command = LINTEL, ...rest] = [...options.before ?? [], LINTEL, ...args]
  const running = new Running(command, rest, { env: { ...process.env, ...options.env } })
  return { code: await running.finish(), said: running.errors }
}

const LIVE = ['run', '--interface', 'lo', '--port', PORT, '--metrics', 'off', '--output', 'stdout']
const BRIEFLY = [...LIVE, '--duration', '10ms']

const WRONG: readonly [what: string, args: string[], said: RegExp][] = [
  ['unknown interface', ['--interface', 'eth99'], /^lintel: error: Cannot capture on "eth99": there is no such interface; there are .*\blo\b/],
  ['unknown port', ['--port', '99999'], /^lintel: error: Cannot use --port "99999": must be between 1 and 65535/],
  ['unreadable port', ['--port', 'https'], /^lintel: error: Cannot use --port "https": must be a port or a range/],
  ['header pattern', ['--header', 'x-[a'], /^lintel: error: Cannot use --header "x-\[a": must be a header name or a pattern/],
  ['CEL syntax', ['--filter', 'url.path =='], /^lintel: error: Cannot use --filter: .*\(1:\d+\)\n {2}url\.path ==\n/],
  ['CEL type', ['--filter', 'http.response.status_code == "200"'], /^lintel: error: Cannot use --filter: .*\(1:\d+\)\n/],
  ['CEL field', ['--filter', 'url.pth == "/"'], /did you mean "url\.path"\?/],
]

for (const [what, args, said] of WRONG) {
  test(`${what}: an error with its mend, exit code 2`, async () => {
    const ended = await lintel([...BRIEFLY, ...args])
    assert.match(ended.said, said)
    assert.equal(ended.code, 2)
  })
}

const CONFIGS: readonly [what: string, yaml: string, said: RegExp][] = [
  ['a misspelt key', 'capture:\n  prots: [80]\n', /:2:3: capture\.prots: there is no such key; did you mean "ports"\?/],
  ['a wrong value', 'capture:\n  attach: tcxx\n', /:2:11: capture\.attach: .*did you mean "tcx"\?/],
  ['a wrong type', 'capture:\n  ports:\n    - 80\n    - {a: 1}\n', /:4:7: capture\.ports/],
  ['YAML that cannot be read', 'capture:\n  ports: [80\n', /:\d+:\d+: /],
  ['a filter in it', 'outputs:\n  - type: stdout\n    filter: url.pth == "/"\n', /:3:13: outputs\[0\]\.filter: .*did you mean "url\.path"\?/],
]

for (const [n, [what, yaml, said]] of CONFIGS.entries()) {
  test(`config file with ${what}: file:line:column and the mend, exit code 2`, async () => {
    const file = join(folder, `bad-${n}.yaml`)
    writeFileSync(file, yaml)
    const ended = await lintel(['run', '--config', file, '--interface', 'lo', '--port', PORT, '--metrics', 'off', '--duration', '10ms'])
    assert.match(ended.said, said)
    assert.ok(ended.said.includes(`${file}:`), ended.said)
    assert.equal(ended.code, 2)
  })
}

test('without privileges: which privileges are missing and what to do, exit code 1', async () => {
  const ended = await lintel(BRIEFLY, { before: UNPRIVILEGED })
  assert.match(ended.said, /^lintel: error: Cannot load ".*": .*\(EPERM\); this process lacks CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON: run as root or grant them\n$/)
  assert.equal(ended.code, 1)
  const doctor = new Running(UNPRIVILEGED[0], [...UNPRIVILEGED.slice(1), LINTEL, 'doctor'])
  assert.equal(await doctor.finish(), 1)
  assert.match(doctor.output, /privilege CAP_BPF: run as root, e\.g\. sudo bin\/lintel run/)
})

test('one capability too few: the missing one is named', async () => {
  const ended = await lintel(BRIEFLY, { before: ['setpriv', '--bounding-set=-net_admin,-sys_admin', '--inh-caps=-net_admin,-sys_admin', '--'] })
  assert.match(ended.said, /CAP_NET_ADMIN/)
  assert.equal(ended.code, 1)
})

test('a kernel without BTF: the programs need none, so the capture works; doctor says the same', { timeout: 60_000 }, async () => {
  const hidden = 'mount -t tmpfs none /sys/kernel/btf && exec "$@"'
  for (const attach of ['tcx', 'xdp', 'socket']) {
    const ended = await lintel([...BRIEFLY, '--attach', attach], { before: ['unshare', '-m', 'sh', '-c', hidden, 'sh'] })
    assert.match(ended.said, /adds up/)
    assert.equal(ended.code, 0)
  }
  const doctor = await run('unshare', ['-m', 'sh', '-c', hidden, 'sh', LINTEL, 'doctor'])
  assert.match(doctor, /BTF of the kernel +"\/sys\/kernel\/btf\/vmlinux" is missing/)
  assert.match(doctor, /Live capture works here/)
})

test('a kernel without ring buffers: the error names --transport perf, and with it the capture works', { timeout: 60_000 }, async () => {
  const env = { LD_PRELOAD: oldKernel, LINTEL_NO_MAP_TYPE: MAP_TYPE_RINGBUF }
  const ended = await lintel(BRIEFLY, { env })
  assert.equal(ended.said, 'lintel: error: Cannot use a ring buffer: this kernel has none (5.8 brought it); run with --transport perf\n')
  assert.equal(ended.code, 1)
  const perf = new Running(LINTEL, [...LIVE, '--transport', 'perf'], { env: { ...process.env, ...env } })
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${PORT}`] })
  try {
    await perf.until(() => perf.errors.includes('stop with Ctrl-C'), 'the start')
    await run('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${PORT}/perf`])
    await perf.until(() => perf.output.includes('"/perf"'), 'the exchange')
  } finally {
    await perf.stop()
    await gateway.stop()
  }
  const doctor = await lintelOutput(['doctor'], env)
  assert.match(doctor, /ring buffer: use --transport perf/)
  assert.match(doctor, /Live capture works here/)
})

test('a kernel without TCX: the error names --attach clsact, and with it the capture works', { timeout: 60_000 }, async () => {
  const env = { LD_PRELOAD: oldKernel, LINTEL_NO_LINK_TYPE: ATTACH_TYPE_TCX_INGRESS }
  const ended = await lintel(BRIEFLY, { env })
  assert.equal(ended.said, 'lintel: error: Cannot attach by TCX: this kernel has none (6.6 brought it); run with --attach clsact\n')
  assert.equal(ended.code, 1)
  assert.equal((await lintel([...BRIEFLY, '--attach', 'clsact'], { env })).code, 0)
})

async function lintelOutput(args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  return await run(LINTEL, args, { env: { ...process.env, ...env } })
}

test('a port for metrics that is taken: an error with the mend when it was asked for, nothing stays attached', { timeout: 60_000 }, async () => {
  const gateway = await Gateway.start({ listen: ['127.0.0.1:18116'] })
  try {
    const ended = await lintel([...BRIEFLY, '--metrics', '127.0.0.1:18116'])
    assert.match(ended.said, /error: Cannot serve metrics on 127\.0\.0\.1:18116: the port is in use, .*choose another with --metrics ADDRESS, or --metrics off/)
    assert.equal(ended.code, 1)
  } finally {
    await gateway.stop()
  }
})

test('a ready file that cannot be written, an output twice: exit code 2', async () => {
  assert.match((await lintel([...BRIEFLY, '--ready-file', '/nowhere/ready'])).said, /Cannot use --ready-file "\/nowhere\/ready"/)
  const twice = await lintel([...BRIEFLY, '--output', `file:${folder}/x`, '--output', `file:${folder}/x`])
  assert.equal(twice.code, 2)
  assert.match(twice.said, /Cannot use --output ".*\/x": must not/)
})

test('nothing of all this is left in the kernel', async () => {
  // The kernel frees programs after a grace period.
  for (let tries = 0; tries < 100 && kernelObjects().hooks.length > 0; tries++) await delay(100)
  assert.deepEqual(kernelObjects().hooks, [])
})
