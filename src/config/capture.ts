import { z } from 'zod'
import { bytesSchema } from '../../lib/units/mod.ts'
import { cidrSchema, portSchema } from './network.ts'

export const ATTACH = ['tcx', 'clsact', 'xdp', 'socket', 'cgroup'] as const
export const MODES = ['records', 'metrics'] as const
export const TRANSPORTS = ['ring', 'perf'] as const
export const PROTOCOLS = ['tcp', 'udp', 'icmp', 'arp'] as const
export type Protocol = (typeof PROTOCOLS)[number]

// IFNAMSIZ (include/uapi/linux/if.h) is 16 with the final NUL; dev_valid_name() refuses these characters.
export const interfaceSchema = z.string({ error: 'must be the name of an interface, e.g. eth0' })
  .regex(/^(?!\.{1,2}$)[^\s/:]{1,15}$/u, 'must be the name of an interface: 1 to 15 characters without "/", ":" or spaces')
  .describe('Name of an interface.')

export const sampleSchema = z.number({ error: 'must be a number above 0 and up to 1, e.g. 0.1 for every tenth connection' })
  .gt(0, 'must be above 0: 0.1 keeps every tenth connection').max(1, 'must be at most 1: 1 keeps every connection')

const globSchema = z.string({ error: 'must be a path, e.g. /usr/lib/*/libssl.so*' }).min(1, 'must be a path, e.g. /usr/lib/*/libssl.so*')
  .describe('Path of a program or library; * stands for any characters.')

const processSchema = z.string({ error: 'must be the name of a process or its number as text' }).min(1, 'must be the name of a process or its number')
  .describe('Name of a process, or its number.')

const patternSchema = (what: string, example: string) => z.string({ error: `must be ${what}, e.g. ${example}` })
  .regex(/^[\x21-\x7e]{1,128}$/, `must be ${what} of 1 to 128 characters of ASCII without spaces, e.g. ${example}`)

const bodyFieldsSchema = z.strictObject({
  preset: z.enum(['gen_ai'])
    .describe('What bodies are read for. gen_ai: model and token counts of calls of chat-completion APIs, as gen_ai.* (docs/ai-calls.md).'),
  hosts: z.array(patternSchema('a host', 'api.openai.com')).max(32, 'must be 32 hosts at most').default([])
    .describe('Hosts that are asked, without port; * stands for any characters; none = all. Naming them lets HTTP/2 bodies of others ' +
      'stay in the kernel.'),
  paths: z.array(patternSchema('a path', '*/chat/completions').regex(/^[/*]/, 'must begin with "/" or "*"'))
    .max(64, 'must be 64 paths at most').default([])
    .describe('Paths of requests (POST), without the query; * stands for any characters; none = those of the preset.'),
})

export const ringBytesSchema = bytesSchema({ min: '64KiB', max: '1GiB' })

/** What is captured, where, and how it comes out of the kernel. */
export const captureSchema = z.strictObject({
  mode: z.enum(MODES).default('records')
    .describe('records: what the kernel captures becomes records. metrics: the kernel only counts requests (HTTP/1 in the clear, by tcx or clsact; '
      + 'metrics.tallies), and no record is made.'),
  interfaces: z.array(interfaceSchema).default([]).describe('Interfaces to capture on; none = all that are up, and those that come later.'),
  ports: z.array(portSchema).prefault([]).describe('TCP ports of servers to capture; none = all ports, HTTP is recognised by its content.'),
  addresses: z.strictObject({
    include: z.array(cidrSchema).prefault([]).describe('Capture only what has one of these networks at one end; none = all.'),
    exclude: z.array(cidrSchema).prefault([]).describe('Never capture what has one of these networks at one end; wins over include.'),
  }).prefault({}).describe('Networks, IPv4 and IPv6.'),
  protocols: z.array(z.enum(PROTOCOLS)).min(1, 'must name one protocol at least').default(['tcp'])
    .describe('Protocols to look at; those besides tcp are of use to packet records only. QUIC handshakes need no udp here.'),
  sample: sampleSchema.default(1).describe('Share of the connections that are captured, chosen by connection.'),
  attach: z.enum(ATTACH).default('tcx')
    .describe('Where the kernel programs are attached. xdp sees what comes in only (off the loopback), ' +
      'so requests and responses are not paired there.'),
  transport: z.enum(TRANSPORTS).default('ring').describe('How packets leave the kernel; perf is for kernels without a ring buffer (before 5.8).'),
  processes: z.boolean().default(true)
    .describe('Say which processes of this machine are at the ends of a connection, where the kernel (6.3) and the attachment (tcx, ' +
      'clsact, cgroup) allow it.'),
  tls: z.strictObject({
    enabled: z.boolean().default(true).describe('Read TLS in the clear, by probes in the TLS libraries of this machine\'s processes.'),
    paths: z.strictObject({
      include: z.array(globSchema).default([]).describe('Probe only programs and libraries whose path matches one of these; none = all.'),
      exclude: z.array(globSchema).default([]).describe('Never probe these; wins over include.'),
    }).prefault({}).describe('Programs and libraries, by their path as their process sees it; * stands for any characters.'),
    processes: z.strictObject({
      include: z.array(processSchema).default([]).describe('Log only TLS of these processes; none = all.'),
      exclude: z.array(processSchema).default([]).describe('Never log TLS of these; wins over include.'),
    }).prefault({}).describe('Processes, by name (comm, 15 characters at most) or by number.'),
  }).prefault({}).describe('TLS in the clear, without keys; ports and addresses hold for it too.'),
  body_fields: z.array(bodyFieldsSchema).max(16, 'must be 16 rules at most').default([])
    .describe('Exchanges whose bodies are read for a few members of their JSON; none = no body is read. Nothing else of a body is kept or logged.'),
  ring_bytes: ringBytesSchema.prefault('16MiB').describe('Buffer between kernel and agent, per worker; rounded up to a power of two.'),
}).describe('What is captured, where, and how it comes out of the kernel.')
