import { isIP, isIPv6 } from 'node:net'
import { z } from 'zod'
import { formatAddress, ipv6Bytes, parseCidr } from '../../lib/cidr/mod.ts'

export interface PortRange {
  readonly first: number
  readonly last: number
}

const PORT_MAX = 65535

/** `80`, `"8000-8999"`; gives a range, both ends included. */
export const portSchema = z.union([z.int(), z.string()], { error: 'must be a port or a range, e.g. 80 or 8000-8999' })
  .transform((value, context): PortRange => {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(String(value).trim())
    const first = Number(match?.[1])
    const last = Number(match?.[2] ?? match?.[1])
    const problem = match === null ? 'must be a port or a range, e.g. 80 or 8000-8999'
      : first < 1 || last > PORT_MAX ? `must be between 1 and ${PORT_MAX}`
      : first > last ? `must begin with the lower port: write ${last}-${first}` : undefined
    if (problem === undefined) return { first, last }
    context.addIssue({ code: 'custom', message: `${problem}; it is ${JSON.stringify(value)}` })
    return z.NEVER
  })
  .describe('A port, or a range of ports as A-B.')

/** `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`; gives the text with its prefix length. */
export const cidrSchema = z.string({ error: 'must be an address or network in quotes, e.g. "10.0.0.0/8"' })
  .transform((value, context) => {
    const [address = '', prefix, ...rest] = value.split('/')
    const bits = isIP(address) === 0 || address.includes('%') ? 0 : isIPv6(address) ? 128 : 32
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
    const problem = bits === 0 || rest.length > 0 ? 'must be an IPv4 or IPv6 address or network, e.g. 10.0.0.0/8 or 2001:db8::/32'
      : !(length <= bits) ? `must have a prefix length from 0 to ${bits}` : undefined
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', message: `${problem}; it is ${JSON.stringify(value)}` })
      return z.NEVER
    }
    const network = networkOf(address, length)
    if (network === undefined) return `${address}/${length}`
    context.addIssue({
      code: 'custom', message: `must be the first address of the network: write ${network}/${length} for all of it, or ` +
        `${address} for this one address`,
    })
    return z.NEVER
  })
  .describe('An IPv4 or IPv6 address or network.')

/** The address of the network when bits behind the prefix are set, else undefined. */
function networkOf(address: string, length: number): string | undefined {
  const bytes = isIPv6(address) ? ipv6Bytes(address) : Uint8Array.from(address.split('.'), Number)
  const { bytes: masked } = parseCidr(`${address}/${length}`)
  return masked.every((byte, index) => byte === bytes[index]) ? undefined : formatAddress(masked)
}

/** Loopback (RFC 1122, RFC 4291), private (RFC 1918), unique local (RFC 4193) and link-local (RFC 3927, RFC 4291) networks. */
export const PRIVATE_NETWORKS = [
  '127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '::1/128', 'fc00::/7', 'fe80::/10',
] as const

/** `127.0.0.1:9464`, `[::1]:9464`, `:9464` or `9464`; loopback only. */
export const loopbackSchema = z.union([z.string(), z.int()], { error: 'must be an address and port, e.g. 127.0.0.1:9464' })
  .transform((value, context) => {
    const match = /^(?:(127(?:\.\d{1,3}){3}|localhost|\[::1\])?:)?(\d{1,5})$/.exec(String(value))
    const host = match?.[1] ?? '127.0.0.1'
    const port = Number(match?.[2])
    if (match === null || !(port <= PORT_MAX) || (host.startsWith('127.') && isIP(host) === 0)) {
      context.addIssue({
        code: 'custom',
        message: `must be a port on this machine's loopback, e.g. 127.0.0.1:9464; it is ${JSON.stringify(value)}. ` +
          'The figures have no password, so put a proxy with one in front of it to reach it from elsewhere',
      })
      return z.NEVER
    }
    return { host: host === 'localhost' ? '127.0.0.1' : host.replace(/[[\]]/g, ''), port }
  })
