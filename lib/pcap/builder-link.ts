import { join, NO_PROTOCOL, type Layer } from './layer.ts'

export const ETHERTYPE_VLAN = 0x8100
export const ETHERTYPE_PROVIDER_VLAN = 0x88a8
const ETHERTYPE_MPLS = 0x8847
const ETHERTYPE_PPPOE = 0x8864
const ETHERTYPE_BRIDGED = 0x6558
const ETHERTYPE_IPV6 = 0x86dd
const FRAME_BYTES_MIN = 60

export interface EthernetFields {
  /** Six bytes, like `02:00:00:00:00:01`. */
  source?: string
  destination?: string
  /** Fill up to 60 bytes, as a card does. Default false. */
  padded?: boolean
}

/** An Ethernet frame without its check sequence. */
export function ethernet(fields: EthernetFields, inner: Layer): Layer {
  return {
    ethertype: ETHERTYPE_BRIDGED,
    protocol: NO_PROTOCOL,
    encode() {
      const header = Buffer.alloc(14)
      header.set(mac(fields.destination ?? '02:00:00:00:00:02'), 0)
      header.set(mac(fields.source ?? '02:00:00:00:00:01'), 6)
      header.writeUInt16BE(inner.ethertype, 12)
      const frame = join(header, inner.encode(0))
      const missing = fields.padded === true ? FRAME_BYTES_MIN - frame.length : 0
      return missing > 0 ? join(frame, new Uint8Array(missing).fill(0xa5)) : frame
    },
  }
}

/** One VLAN tag: nest two for QinQ, the outer one with ETHERTYPE_PROVIDER_VLAN. */
export function vlan(tag: number, inner: Layer, ethertype = ETHERTYPE_VLAN): Layer {
  return {
    ethertype,
    protocol: NO_PROTOCOL,
    encode() {
      const header = Buffer.alloc(4)
      header.writeUInt16BE(tag, 0)
      header.writeUInt16BE(inner.ethertype, 2)
      return join(header, inner.encode(0))
    },
  }
}

/** A label stack, outermost first. */
export function mpls(labels: readonly number[], inner: Layer): Layer {
  return {
    ethertype: ETHERTYPE_MPLS,
    protocol: 137,
    encode() {
      const stack = Buffer.alloc(4 * labels.length)
      labels.forEach((label, index) => {
        const bottom = index === labels.length - 1 ? 0x100 : 0
        stack.writeUInt32BE(((label << 12) | bottom | 64) >>> 0, 4 * index)
      })
      return join(stack, inner.encode(0))
    },
  }
}

/** PPPoE session with PPP and IP in it. */
export function pppoe(session: number, inner: Layer): Layer {
  return {
    ethertype: ETHERTYPE_PPPOE,
    protocol: NO_PROTOCOL,
    encode() {
      const body = inner.encode(0)
      const header = Buffer.alloc(8)
      header.writeUInt16BE(0x1100, 0)
      header.writeUInt16BE(session, 2)
      header.writeUInt16BE(body.length + 2, 4)
      header.writeUInt16BE(inner.ethertype === ETHERTYPE_IPV6 ? 0x57 : 0x21, 6)
      return join(header, body)
    },
  }
}

function mac(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), byte => parseInt(byte, 16))
}
