import type { Command } from 'commander'

/** Flags as commander hands them over: text, not checked. */
export interface OutputFlags {
  readonly config?: string
  readonly output: readonly string[]
  readonly filter?: string
  readonly kind: readonly string[]
  readonly field: readonly string[]
  readonly header: readonly string[]
  readonly stats?: string
  readonly openAfter?: string
  readonly port: readonly string[]
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly decoder: readonly string[]
}

export interface ReplayFlags extends OutputFlags {
  readonly workers?: string
  readonly packets?: string
}

export interface CaptureFlags {
  readonly interface: readonly string[]
  readonly protocol: readonly string[]
  readonly attach?: string
  readonly transport?: string
  readonly sample?: string
  /** False with --no-tls. */
  readonly tls?: boolean
  readonly workers?: string
  readonly ringBytes?: string
  readonly processes?: boolean
  readonly metrics?: string
  /** True without an address. */
  readonly web?: string | true
  readonly readyFile?: string
  readonly duration?: string
}

const NONE: readonly string[] = []

function more(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

/** Flags that live capture and replay have in common. */
export function addOutputFlags(command: Command): Command {
  return command
    .option('-c, --config <file>', 'YAML config file; flags override it')
    .option('-o, --output <output>', 'stdout, pretty, file:PATH or store:PATH (more than once: all of them)', more, NONE)
    .option('-f, --filter <expression>', 'CEL expression over the record, e.g. \'http.response.status_code >= 500\'')
    .option('-p, --port <port>', 'server port or range A-B (more than once); none = all, HTTP is recognised by its content', more, NONE)
    .option('--include <network>', 'only traffic with this address or network at one end (more than once)', more, NONE)
    .option('--exclude <network>', 'no traffic with this address or network at one end (more than once)', more, NONE)
    .option('-k, --kind <kind>', 'kinds of records: exchange, connection, packet, anomaly, websocket, handshake (more than once)', more, NONE)
    .option('--field <pattern>', 'log this field too, or with "!" in front do not log it, e.g. \'tcp.*\', \'!url.query\' ' +
      '(more than once)', more, NONE)
    .option('--header <pattern>', 'log only these headers, or with "!" in front leave them out, e.g. \'x-*\', \'!x-internal-*\' ' +
      '(more than once)', more, NONE)
    .option('--decoder <file>', 'read a protocol of your own with this TypeScript file (more than once); see docs/decoders.md', more, NONE)
    .option('--open-after <time>', 'log an exchange that is still open after this time, and again at its end, e.g. 1s')
    .option('--stats <interval>', 'a line of counters on standard error every so often, e.g. 10s')
}

/** Flags of replay. */
export function addReplayFlags(command: Command): Command {
  return command.option('--workers <count>', 'threads that read the files; none = a core less than there are, up to 4, where it pays')
}

/** Flags of live capture. */
export function addCaptureFlags(command: Command): Command {
  return command
    .option('-i, --interface <name>', 'interface to capture on (more than once); none = all', more, NONE)
    .option('--protocol <protocol>', 'tcp, udp, icmp, arp: what packet records are made of (more than once)', more, NONE)
    .option('--attach <hook>', 'tcx, clsact, xdp, socket or cgroup; xdp sees what comes in only')
    .option('--transport <transport>', 'ring or perf')
    .option('--sample <share>', 'share of the connections to capture, above 0 and up to 1')
    .option('--no-tls', 'leave TLS alone: no probes in the TLS libraries of this machine')
    .option('--workers <count>', 'threads that share the connections, a power of two; one with TLS; none = one for each four cores, up to 4')
    .option('--ring-bytes <size>', 'buffer between kernel and agent, for each worker, e.g. 16MiB')
    .option('--no-processes', 'do not say which processes of this machine speak')
    .option('--metrics <address>', 'loopback address for Prometheus metrics, e.g. 127.0.0.1:9464, or "off"')
    .option('--ready-file <path>', 'written when everything is attached: JSON with pid, attachments, outputs')
    .option('--duration <time>', 'stop after this time, e.g. 10s')
}
