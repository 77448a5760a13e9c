import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { DISSECT_ANOMALY } from './anomaly.ts'
import { Counts } from './counts.ts'
import { ethertype, llc, mpls } from './ethertype.ts'
import { ETHERTYPE } from './ethertype-number.ts'
import { FragmentTable } from './fragment-table.ts'
import { FrameMeta } from './frame-meta.ts'
import { ipv4 } from './ipv4.ts'
import { ipv6 } from './ipv6.ts'
import { LAYER } from './layer.ts'
import { ethernet, link } from './link.ts'
import { DISSECT_OUTCOME } from './outcome.ts'
import { ppp } from './ppp.ts'
import { TunnelPorts } from './tunnel-port.ts'
import { upper } from './upper.ts'
import { PROTOCOL_BIT, STEP, Walk } from './walk.ts'
import { wifi } from './wifi.ts'

export interface DissectorOptions {
  /** PROTOCOL_BIT of what events are written for; default all. Tunnels are opened all the same. */
  protocols?: number
  /**
   * Drop what has a wrong IP, TCP, UDP or ICMP checksum. Default false: captures on the sender have them
   * unfilled.
   */
  verifyChecksums?: boolean
  /** Default: IANA's ports. */
  tunnelPorts?: TunnelPorts
}

/**
 * Turns a raw frame into a packet event (bpf/events.h) with the payload of its innermost transport.
 *
 * Limits: 16 headers inside one another; fragments as FragmentTable says. Reads nothing outside the frame.
 */
export class Dissector {
  readonly anomalies = new Counts(DISSECT_ANOMALY)
  readonly outcomes = new Counts(DISSECT_OUTCOME)
  readonly layers: Counts<keyof typeof LAYER>
  readonly fragments: FragmentTable
  readonly #walk: Walk

  constructor(memory: ByteMemory, options: DissectorOptions = {}) {
    this.fragments = new FragmentTable(memory, this.anomalies)
    this.#walk = new Walk(memory, {
      fragments: this.fragments,
      anomalies: this.anomalies,
      tunnelPorts: options.tunnelPorts ?? new TunnelPorts(),
      protocols: options.protocols ?? PROTOCOL_BIT.ALL,
      verifyChecksums: options.verifyChecksums ?? false,
      meta: new FrameMeta(),
    })
    this.layers = this.#walk.layers
  }

  /** What became of the last frame; `outcomes` has counted it. */
  get outcome(): DISSECT_OUTCOME {
    return this.#walk.outcome
  }

  /** Payload bytes that the last event lacks, of those on the wire. */
  get bytesCut(): number {
    return this.#walk.bytesCut
  }

  /**
   * Takes a frame apart. Frame and output lie in the shared memory and must not overlap.
   *
   * @param frame    place of the frame
   * @param captured bytes of it that are there
   * @param wire     bytes of it that were on the wire
   * @param linkType LINKTYPE_ number
   * @param out      8-byte aligned, with room for RECORD_BYTES_MAX
   * @returns bytes written, a multiple of 8; 0 = no event, see `outcome`
   */
  dissect(
    frame: number,
    captured: number,
    wire: number,
    linkType: number,
    meta: FrameMeta,
    out: number,
  ): number {
    const walk = this.#walk
    walk.start(frame, captured, wire, meta, out)
    let step = link(walk, linkType)
    while (step !== STEP.DONE) step = next(walk, step)
    if (walk.fragmentsHeld) {
      this.fragments.release()
      walk.fragmentsHeld = false
    }
    this.outcomes.add(walk.outcome)
    return walk.written
  }

  /** No frame will come any more: gives back all memory; what waited for fragments is given up. */
  close(): void {
    this.fragments.clear()
  }
}

function next(walk: Walk, step: STEP): STEP {
  switch (step) {
    case STEP.IPV4:
      return ipv4(walk)
    case STEP.UPPER:
      return upper(walk)
    case STEP.IPV6:
      return ipv6(walk)
    case STEP.ETHERTYPE:
      return ethertype(walk)
    case STEP.ETHERNET:
      return innerEthernet(walk)
    case STEP.LLC:
      return llc(walk)
    case STEP.IP:
      return ip(walk)
    case STEP.PPP:
      return ppp(walk)
    case STEP.MPLS:
      return mpls(walk)
    case STEP.WIFI:
      return wifi(walk, false)
    default:
      return STEP.DONE
  }
}

function ip(walk: Walk): STEP {
  if (!walk.has(1)) return walk.short(1)
  const version = walk.u8[walk.at]! >> 4
  if (version === 4) {
    walk.ethertype = ETHERTYPE.IPV4
    return STEP.IPV4
  }
  if (version !== 6) return walk.stop(DISSECT_OUTCOME.IP_VERSION)
  walk.ethertype = ETHERTYPE.IPV6
  return STEP.IPV6
}

function innerEthernet(walk: Walk): STEP {
  return walk.enter() ? ethernet(walk) : STEP.DONE
}
