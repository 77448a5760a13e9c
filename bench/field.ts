import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Session } from './harness/session.ts'
import { countExchanges, countLines } from './harness/kept.ts'
import type { ToolCommand } from './harness/running-tool.ts'
import { lintelCommand } from './lintel-command.ts'

/** The port of the gateway that logs nothing, and the one that keeps nginx's access log. */
export const QUIET_PORT = 8081
export const LOGGING_PORT = 8082

/** What a tool kept of a round. */
export type ToolKept = { readonly exchanges: number } | { readonly packetShare: number }

/** A way to watch the gateway's port, measured under the same load as every other. */
export interface FieldTool {
  /** Its name for `--tools`. */
  readonly key: string
  readonly name: string
  /** What it writes of an exchange. */
  readonly writes: string
  readonly port: number
  /** Undefined: the gateway does it itself. */
  readonly process?: ToolCommand
  /** Commands that must be installed. */
  readonly needs: readonly string[]
  /** Called while the tool still runs, when all traffic has passed. */
  beforeStop?(session: Session, out: string): Promise<void>
  /** What it kept, from the files in its folder; `gateway` is nginx's folder. */
  kept(session: Session, out: string, gateway: string): Promise<ToolKept>
}

const FILTER = `tcp port ${QUIET_PORT}`

/** Where softflowd sends its flows; the tables with it listen there. */
export const COLLECTOR_PORT = 9995

export const FIELD: readonly FieldTool[] = [
  {
    key: 'access_log',
    name: 'nginx access_log',
    writes: 'one line, 3 headers',
    port: LOGGING_PORT,
    needs: [],
    kept: async (session, _out, gateway) => ({ exchanges: await countLines(session, join(gateway, 'access.log'), '^') }),
  },
  lintelWith('lintel', 'lintel', []),
  lintelWith('lintel_clear', 'lintel --no-tls', ['--no-tls']),
  lintelWith('lintel_2', 'lintel --no-tls --workers 2', ['--no-tls', '--workers', '2']),
  {
    key: 'tcpdump',
    name: 'tcpdump -w /dev/null',
    writes: 'raw packets, thrown away',
    port: QUIET_PORT,
    process: { name: 'tcpdump', command: () => ['tcpdump', '-i', 'lo', '-w', '/dev/null', '-B', '65536', FILTER] },
    needs: ['tcpdump'],
    kept: async (_session, out) => {
      const captured = numberIn(join(out, 'stderr'), /(\d+) packets captured/)
      return { packetShare: captured / (captured + numberIn(join(out, 'stderr'), /(\d+) packets dropped by kernel/)) }
    },
  },
  {
    key: 'tshark',
    name: 'tshark -T fields',
    writes: '6 chosen fields',
    port: QUIET_PORT,
    process: {
      name: 'tshark',
      readyMs: 4000,
      command: () => ['tshark', '-i', 'lo', '-B', '64', '-f', FILTER, '-d', `tcp.port==${QUIET_PORT},http`, '-l', '-Q',
        '-T', 'fields',
        '-e', 'http.request.method', '-e', 'http.request.uri', '-e', 'http.host', '-e', 'http.user_agent',
        '-e', 'http.response.code', '-e', 'frame.time_epoch', '-Y', 'http.request'],
    },
    needs: ['tshark'],
    kept: async (session, out) => ({ exchanges: await countLines(session, join(out, 'stdout'), '^GET') }),
  },
  {
    key: 'httpry',
    name: 'httpry',
    writes: 'one line a request, 5 fields',
    port: QUIET_PORT,
    process: {
      name: 'httpry',
      command: (out) => ['httpry', '-i', 'lo', '-F', '-m', 'get', '-f', 'timestamp,source-ip,method,host,request-uri',
        '-o', join(out, 'httpry.log'), `tcp dst port ${QUIET_PORT}`],
    },
    needs: ['httpry'],
    kept: async (session, out) => ({ exchanges: await countLines(session, join(out, 'httpry.log'), '^[^#]') }),
  },
  {
    key: 'ngrep',
    name: 'ngrep -W byline',
    writes: 'text of packets that begin a message',
    port: QUIET_PORT,
    process: { name: 'ngrep', command: () => ['ngrep', '-q', '-W', 'byline', '-d', 'lo', '^(GET |HTTP/1)', FILTER] },
    needs: ['ngrep'],
    kept: async (session, out) => ({ exchanges: await bothSides(session, join(out, 'stdout')) }),
  },
  {
    key: 'tcpflow',
    name: 'tcpflow',
    writes: 'all bytes of both sides',
    port: QUIET_PORT,
    process: { name: 'tcpflow', command: (out) => ['tcpflow', '-i', 'lo', '-o', join(out, 'flows'), '-X', '/dev/null', FILTER] },
    needs: ['tcpflow'],
    kept: async (session, out) => ({ exchanges: await bothSides(session, join(out, 'flows')) }),
  },
  {
    key: 'softflowd',
    name: 'softflowd (flows)',
    writes: 'one flow record a connection, no header',
    port: QUIET_PORT,
    process: {
      name: 'softflowd',
      command: (out) => ['softflowd', '-d', '-i', 'lo', '-n', `127.0.0.1:${COLLECTOR_PORT}`,
        '-p', join(out, 'pid'), '-c', join(out, 'control'), FILTER],
    },
    needs: ['softflowd'],
    beforeStop: async (session, out) => {
      const paths = [join(out, 'control'), join(out, 'statistics')]
      await session.run(['sh', '-c', 'softflowctl -c "$1" statistics > "$2"', 'sh', ...paths])
    },
    kept: async (_session, out) => {
      const processed = numberIn(join(out, 'statistics'), /Packets processed: (\d+)/)
      return { packetShare: processed / (processed + numberIn(join(out, 'statistics'), /Packets dropped by libpcap: (\d+)/)) }
    },
  },
]

function lintelWith(key: string, name: string, flags: readonly string[]): FieldTool {
  return {
    key,
    name,
    writes: 'one JSON record, all headers of both sides',
    port: QUIET_PORT,
    process: lintelCommand(QUIET_PORT, { flags }),
    needs: ['zstd'],
    kept: async (session, out) => ({ exchanges: await countExchanges(session, out) }),
  }
}

/** The tools of these keys; undefined = all. */
export function chosenTools(keys: readonly string[] | undefined): readonly FieldTool[] {
  return FIELD.filter(({ key }) => keys === undefined || keys.includes(key))
}

/** Exchanges of which both heads are there. */
async function bothSides(session: Session, path: string): Promise<number> {
  return Math.min(await countLines(session, path, '^GET '), await countLines(session, path, '^HTTP/1.1 200'))
}

function numberIn(path: string, pattern: RegExp): number {
  return Number(pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? Number.NaN)
}
