import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { XdpMode } from '../../../lib/ebpf/mod.ts'
import type { TlsBinary } from '../tls/mod.ts'
import type { AttachmentChange } from './attachments.ts'
import type { KernelFilters } from './filters.ts'

/** Where the programs are attached. */
export const KernelAttach = {
  tcx: 'tcx', clsact: 'clsact', xdp: 'xdp', socket: 'socket', cgroup: 'cgroup',
} as const
export type KernelAttach = (typeof KernelAttach)[keyof typeof KernelAttach]

/** How records leave the kernel. */
export const KernelTransport = { ring: 'ring', perf: 'perf' } as const
export type KernelTransport = (typeof KernelTransport)[keyof typeof KernelTransport]

export interface KernelOptions {
  /** Where `fill` writes. */
  readonly memory: ByteMemory
  /** Interface names; none = all that are up, and those that come later. */
  readonly interfaces?: readonly string[]
  /** Default: tcx, or clsact where the kernel has no TCX (before 6.6). */
  readonly attach?: KernelAttach
  /** Default: ring. perf is for kernels before 5.8. */
  readonly transport?: KernelTransport
  /** What is wanted; can be changed later by `setFilters`. Default: all TCP. */
  readonly filters?: KernelFilters
  /** Server ports on which a connection is read whatever its first bytes are. Default none. */
  readonly decoderPorts?: readonly number[]
  /** Room between kernel and reader, rounded up to a power of two of at least 64 KiB. Default 16 MiB. */
  readonly ringBytes?: number
  /** Connections followed at a time; the one quiet longest makes room. Default 131,072. */
  readonly connections?: number
  /** Workers that share the connections, each with a ring of `ringBytes`: 1, the default, 2, 4, 8 or 16. Several need the ring, and no `tls`. */
  readonly shards?: number
  /** Nothing is attached before `KernelSource.start`: the other workers are to be there first. Default false. */
  readonly isDeferred?: boolean
  /** Payload bytes copied from one packet, 1 to 65,536, the default. */
  readonly headBytesMax?: number
  /** cgroup v2 folder for `cgroup`; default: the root of the hierarchy. */
  readonly cgroupPath?: string
  /** Default `auto`: the driver's, else the generic one. */
  readonly xdpMode?: XdpMode
  /** Say of each packet which process sent it, where the kernel and the attachment can. Default true. */
  readonly processes?: boolean
  /** Folder of the compiled kernel programs; default `build/` of this checkout. */
  readonly objectFolder?: string
  /** Reads TLS in the clear as well; missing = no. */
  readonly tls?: TlsWish
  /** Called from `wait` when an interface came, went, or refused a program. */
  readonly onAttachmentChange?: (change: AttachmentChange) => void
}

/** What TLS is to be read in the clear. */
export interface TlsWish {
  /** False = the program or library at this path, as its process sees it, is left alone. */
  readonly wants: (path: string) => boolean
  /** A program or library that speaks TLS was found, read or not. */
  readonly onBinary?: (binary: TlsBinary) => void
  /** TLS cannot be read at all, and why. */
  readonly onRefusal?: (reason: string) => void
}

const RING_BYTES_MIN = 65536
const RING_BYTES_MAX = 1 << 30
const CONNECTIONS_MAX = 1 << 24
const HEAD_BYTES_MAX = 65536
const SHARDS = [1, 2, 4, 8, 16]

/** Options with every default filled in and every bound checked. */
export interface KernelPlan {
  readonly attach: KernelAttach
  readonly transport: KernelTransport
  readonly ringBytes: number
  readonly connections: number
  readonly headBytesMax: number
  /** Packets say who sent them: `ProcessPrograms` must be attached too. */
  readonly processes?: boolean
  /** Missing = 1. */
  readonly shards?: number
}

/**
 * @param hasTcx asked only when `attach` is left open
 * @throws {RangeError} when a number is out of its bounds, or several workers are to share what only one can read
 */
export function planOf(options: KernelOptions, hasTcx: () => boolean): KernelPlan {
  const { shards = 1, transport = KernelTransport.ring } = options
  if (!SHARDS.includes(shards)) throw new RangeError(`Cannot use shards = ${shards}: it must be one of ${SHARDS.join(', ')}`)
  if (shards > 1 && (options.tls !== undefined || transport !== KernelTransport.ring)) {
    throw new RangeError(`Cannot use shards = ${shards}: TLS in the clear, and perf buffers, have one reader`)
  }
  const ringBytes = bounded('ringBytes', options.ringBytes ?? 16 << 20, 1, RING_BYTES_MAX)
  return {
    attach: options.attach ?? (hasTcx() ? KernelAttach.tcx : KernelAttach.clsact),
    transport,
    shards,
    ringBytes: Math.max(RING_BYTES_MIN, 2 ** Math.ceil(Math.log2(ringBytes))),
    connections: bounded('connections', options.connections ?? 131_072, 1, CONNECTIONS_MAX),
    headBytesMax: bounded('headBytesMax', options.headBytesMax ?? HEAD_BYTES_MAX, 1, HEAD_BYTES_MAX),
  }
}

function bounded(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`Cannot use ${name} = ${value}: it must be a whole number from ${least} to ${most}`)
}
