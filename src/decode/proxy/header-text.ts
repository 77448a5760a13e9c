import { isIPv4, isIPv6 } from 'node:net'
import { parseCidr } from '../../../lib/cidr/mod.ts'
import type { ProxyHeader } from '../connection-facts.ts'

const NO_ADDRESS = new Uint8Array(16)

/**
 * The line of version 1 (PROXY protocol 2.1), without its CR LF.
 *
 * @returns undefined when it breaks the grammar
 */
export function parseProxyLine(line: string): ProxyHeader | undefined {
  if (/^PROXY UNKNOWN(?: .*)?$/u.test(line)) {
    return {
      version: 1, ipVersion: undefined, source: NO_ADDRESS, destination: NO_ADDRESS, sourcePort: 0, destinationPort: 0, authority: undefined,
    }
  }
  const match = /^PROXY TCP([46]) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/u.exec(line)
  if (match === null) return undefined
  const ipVersion = match[1] === '4' ? 4 : 6
  const source = addressBytes(ipVersion, match[2]!)
  const destination = addressBytes(ipVersion, match[3]!)
  const [sourcePort, destinationPort] = [Number(match[4]), Number(match[5])]
  if (source === undefined || destination === undefined || sourcePort > 65535 || destinationPort > 65535) return undefined
  return { version: 1, ipVersion, source, destination, sourcePort, destinationPort, authority: undefined }
}

function addressBytes(version: 4 | 6, text: string): Uint8Array | undefined {
  if (!(version === 4 ? isIPv4(text) : isIPv6(text)) || text.includes('%')) return undefined
  const bytes = new Uint8Array(16)
  bytes.set(parseCidr(text).bytes)
  return bytes
}
