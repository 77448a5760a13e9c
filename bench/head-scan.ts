/**
 * Nanoseconds per scanned head: `node bench/head-scan.ts`. One line per input, the best of five rounds.
 *
 * @module
 */
import { ByteMemory } from '../lib/bytes/mod.ts'
import { HeadScanner } from '../src/decode/http1/head-scanner.ts'
import * as L from '../wasm/layout.ts'

const ROUNDS = 5
const request = [
  'GET /api/v1/items?id=42 HTTP/1.1',
  'Host: 127.0.0.1:8080',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36',
  'Accept: application/json, text/plain, */*',
  'Accept-Encoding: gzip, deflate, br',
  `Authorization: Bearer ${'eyJhbGciOiJIUzI1NiIs'.repeat(5)}.${'w5N_'.repeat(5)}`,
  'X-Request-ID: 7f3c1e3a-9c55-4f0e-8f5e-2f0f6a1c0b11',
  'X-Tenant-ID: acme',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
].join('\r\n')
const response = [
  'HTTP/1.1 200 OK',
  'Server: nginx/1.26.3',
  'Date: Fri, 22 Nov 2024 14:00:00 GMT',
  'Content-Type: application/json',
  'Content-Length: 1024',
  'Connection: keep-alive',
].join('\r\n')
const largeFields = Array.from({ length: 16 }, (_, index) => `X-Large-${index}: ${'v'.repeat(1000)}`)
const large = ['GET / HTTP/1.1', 'Host: a', ...largeFields].join('\r\n')

const memory = new ByteMemory()
const scanner = new HeadScanner(memory)
const input = memory.reserve(65536)

function measure(name: string, head: string, kind: number, times: number): void {
  const bytes = Buffer.from(`${head}\r\n\r\n`, 'latin1')
  memory.write(input, bytes)
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint()
    for (let index = 0; index < times; index++) {
      if (scanner.scan(input, bytes.length, 0, kind) !== bytes.length) throw new Error(`Cannot scan the ${name}: not whole`)
      scanner.free(scanner.block)
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / times)
  }
  console.log(`${name.padEnd(28)} ${String(bytes.length).padStart(6)} bytes ${best.toFixed(0).padStart(7)} ns`)
}

measure('request, 9 headers', request, L.HEAD_KIND_REQUEST, 200_000)
measure('response, 5 headers', response, L.HEAD_KIND_RESPONSE, 200_000)
measure('request, 16 KiB of headers', large, L.HEAD_KIND_REQUEST, 20_000)
