/** What the wall costs for each value, and whether texts made against it cost more than their length. */
import { WallProbe } from '../test/privacy/wall-probe.ts'
import { ACTION_KEEP, ACTION_COOKIE, ACTION_SCHEME } from '../wasm/wall-numbers.ts'

const BROWSER = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)'
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'
const VALUES: readonly (readonly [title: string, action: number, value: string])[] = [
  ['user agent', ACTION_KEEP, `${BROWSER} Chrome/124.0.0.0 Safari/537.36`],
  ['accept', ACTION_KEEP, 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'],
  ['accept-encoding', ACTION_KEEP, 'gzip, deflate, br'],
  ['host', ACTION_KEEP, 'api.example.com'],
  ['request id', ACTION_KEEP, '7b44a9d0-5b0f-4d7a-9f5e-2b1c3d4e5f60'],
  ['date', ACTION_KEEP, 'Wed, 21 Oct 2015 07:28:00 GMT'],
  ['traceparent', ACTION_KEEP, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['referer', ACTION_KEEP, 'https://www.example.com/products/shoes?size=42&color=red'],
  ['JWT in a custom header', ACTION_KEEP, `x ${JWT}`],
  ['authorization', ACTION_SCHEME, `Bearer ${JWT}`],
  ['cookie', ACTION_COOKIE, '_ga=GA1.2.123; sid=0123456789abcdef; theme=dark'],
]
const ROUNDS = 500_000

function nanoseconds(probe: WallProbe, action: number, value: string, rounds: number): number {
  const bytes = Buffer.from(value)
  probe.memory.write(probe.input, bytes)
  const run = (count: number): void => {
    for (let round = 0; round < count; round++) {
      probe.bytes.writeValue(action, probe.input, bytes.length, probe.output)
    }
  }
  run(rounds / 5)
  let best = Infinity
  for (let round = 0; round < 3; round++) {
    const start = process.hrtime.bigint()
    run(rounds)
    best = Math.min(best, Number(process.hrtime.bigint() - start) / rounds)
  }
  return best
}

for (const [title, options] of [['REDACTED', {}], ['keyed hash', { hash_key_ephemeral: true }]] as const) {
  const probe = new WallProbe(options)
  console.log(`\n${title}: ns a value`)
  for (const [name, action, value] of VALUES) {
    const cost = nanoseconds(probe, action, value, ROUNDS).toFixed(0).padStart(6)
    console.log(`  ${name.padEnd(24)} ${String(value.length).padStart(4)} bytes ${cost}`)
  }
}

const SEEDS = ['eyJ', 'eyJ-', 'glpat-', 'sk-', 'password=', 'bearer ', '-----begin', 'curl ', 'kind: ',
  '<add key', '//a:', '%41', 'a=b&', 'twitter', 's.', ':a', 'A', 'key:']
const probe = new WallProbe()
console.log('\ntexts made against the search: ns a byte at 30,000 and at 120,000 bytes')
for (const seed of SEEDS) {
  const [short, long] = [30_000, 120_000].map((length) => (
    nanoseconds(probe, ACTION_KEEP, seed.repeat(length).slice(0, length), 10) / length))
  const costs = [short, long].map((cost) => cost?.toFixed(2).padStart(8))
  console.log(`  ${JSON.stringify(seed).padEnd(14)} ${costs.join(' ')}`)
}
