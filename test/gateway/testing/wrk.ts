import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './process.ts'

export interface WrkOptions {
  readonly url: string
  readonly seconds: number
  readonly connections?: number
  /** Further request headers. */
  readonly headers?: Readonly<Record<string, string>>
  readonly namespace?: string
  /** What each X-Request-ID begins with. */
  readonly idPrefix?: string
}

export interface WrkResult {
  /** Responses that wrk read: what it counts. */
  readonly requests: number
  readonly perSecond: number
  /** Socket errors of any kind and statuses other than 2xx and 3xx, in wrk's words; empty when none. */
  readonly errors: string
}

/** The eight headers of an API client; with Host they are the nine that each exchange must show. */
export const CLIENT_HEADERS: Readonly<Record<string, string>> = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36',
  'Accept': 'application/json, text/plain, */*',
  'Accept-Encoding': 'gzip, deflate, br',
  'Authorization': 'Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  'X-Tenant-ID': 'acme',
  'traceparent': '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
}

/** Runs wrk at saturation; each request carries an X-Request-ID of its own, `1` upwards. */
export async function wrk(options: WrkOptions): Promise<WrkResult> {
  const directory = mkdtempSync(join(tmpdir(), 'lintel-wrk-'))
  const headers = Object.entries({ ...CLIENT_HEADERS, ...options.headers })
    .map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
  writeFileSync(join(directory, 'load.lua'), `${headers.join('\n')}
local n = 0
request = function()
  n = n + 1
  wrk.headers["X-Request-ID"] = ${JSON.stringify(options.idPrefix ?? '')} .. tostring(n)
  return wrk.format("GET")
end
`)
  const args = ['-t1', `-c${options.connections ?? 32}`, `-d${options.seconds}`, '-s', join(directory, 'load.lua'), options.url]
  try {
    const output = options.namespace === undefined ? await run('wrk', args)
      : await run('ip', ['netns', 'exec', options.namespace, 'wrk', ...args])
    const requests = /(\d+) requests in/.exec(output)
    const perSecond = /Requests\/sec:\s+([\d.]+)/.exec(output)
    if (requests === null || perSecond === null) throw new Error(`Cannot read what wrk printed: ${output}`)
    const errors = output.split('\n').filter((line) => /Socket errors|Non-2xx/.test(line)).join(' ')
    return { requests: Number(requests[1]), perSecond: Number(perSecond[1]), errors }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
