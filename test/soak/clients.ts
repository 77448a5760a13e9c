import { fileURLToPath } from 'node:url'
import type { Run } from './tally.ts'

const PEERS = fileURLToPath(new URL('peers', import.meta.url))

/** What the clients are made of. */
export interface Programs { readonly python: string; readonly go: string; readonly folder: string }

/** A kind of client: one process that sends `requests` at most. */
export interface ClientKind {
  readonly name: string
  /** How often it is chosen, beside the others. */
  readonly share: number
  readonly requests: number
  /** Which servers it can ask. */
  readonly servers: readonly string[]
  command(run: Run, programs: Programs): string[]
  /** Ids of the requests that were completed, where its output does not say `done ID`; undefined = it does. */
  completed?(run: Run, output: string, code: number | null): string[]
}

const EVERY = ['nginx', 'node', 'go', 'python']

function indexes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function curl(name: string, share: number, requests: number, servers: readonly string[], options: readonly string[], path = '/curl'): ClientKind {
  return {
    name, share, requests, servers,
    command: ({ prefix, port }) => ['curl', ...indexes(requests).flatMap((index) => [
      ...(index === 0 ? [] : ['--next']), '-sk', '--max-time', '20', ...options, '-o', '/dev/null', '-H', `X-Request-ID: ${prefix}${index}`,
      '-w', `%{exitcode} %{http_code} ${prefix}${index}\n`, `https://127.0.0.1:${port}${path}`,
    ])],
    completed: (_, output) => [...output.matchAll(/^0 200 (\S+)$/gm)].map((match) => match[1]!),
  }
}

/** MODE of peers/client.py */
function python(mode: string, share: number, requests: number, pauseMs: number, servers: readonly string[] = EVERY): ClientKind {
  return {
    name: `python ${mode}, each ${pauseMs} ms`, share, requests, servers,
    command: ({ prefix, port }, programs) => [programs.python, `${PEERS}/client.py`, String(port), prefix, String(requests), String(pauseMs), mode],
  }
}

/** Node starts slowly: it is chosen seldom. */
function node(mode: 'http1' | 'http2', share: number, servers: readonly string[]): ClientKind {
  const requests = 20
  return {
    name: `node ${mode}`, share, requests, servers,
    command: ({ prefix, port }) => [process.execPath, `${PEERS}/node-client.ts`, String(port), prefix, String(requests), '60', mode],
  }
}

export const CLIENTS: readonly ClientKind[] = [
  curl('curl', 8, 4, EVERY, []),
  curl('curl tls1.2', 3, 2, ['nginx', 'node', 'go'], ['--tls-max', '1.2']),
  curl('curl http2', 5, 6, ['nginx'], ['--http2']),
  curl('curl slow', 3, 1, ['nginx'], [], '/slow'),
  python('keep', 4, 20, 50),
  python('keep', 2, 8, 900),
  python('fresh', 3, 8, 50),
  python('upload', 3, 2, 80),
  python('slow', 2, 2, 50, ['nginx']),
  node('http1', 2, ['nginx', 'node', 'go']),
  node('http2', 1, ['nginx']),
  {
    name: 'go', share: 6, requests: 24, servers: EVERY,
    command: ({ prefix, port }, programs) => [programs.go, String(port), prefix, '24', '60', '3'],
  },
  {
    name: 'wget', share: 2, requests: 1, servers: EVERY,
    command: ({ prefix, port }) => ['wget', '-q', '--tries=1', '--timeout=20', '--no-check-certificate', '-O', '/dev/null',
      `--header=X-Request-ID: ${prefix}0`, `https://127.0.0.1:${port}/wget`],
    completed: ({ prefix }, _, code) => code === 0 ? [`${prefix}0`] : [],
  },
  {
    name: 'h2load', share: 2, requests: 40, servers: ['nginx'],
    command: ({ prefix, port }) => ['h2load', '-n', '40', '-c', '1', '-m', '4', '--rps=40',
      ...indexes(40).map((index) => `https://127.0.0.1:${port}/h2load/${prefix}${index}`)],
    completed: ({ prefix }, output) => / 40 succeeded/.test(output) ? indexes(40).map((index) => `${prefix}${index}`) : [],
  },
]

/** One of these runs at any time, beside the others. */
export const STEADY: ClientKind = {
  name: 'wrk', share: 0, requests: 2000, servers: ['nginx'],
  command: ({ prefix, port }) => ['wrk', '-t1', '-c4', '-d4s', '-s', `${PEERS}/load.lua`, `https://127.0.0.1:${port}/`, '--', prefix, '20'],
}
