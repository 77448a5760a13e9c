import { z } from 'zod'

/** Where an output that speaks no HTTP sends to. */
export interface StreamAddress {
  readonly protocol: 'tcp:' | 'tls:' | 'udp:'
  readonly host: string
  readonly port: number
}

/** `tls://HOST:PORT`. @param protocols that are taken @param example for error texts */
export function streamUrlSchema(protocols: readonly ('tcp' | 'tls' | 'udp')[], example: string): z.ZodType<string, string> {
  const form = new RegExp(String.raw`^(?:${protocols.join('|')}):\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[1-9]\d{0,4}$`)
  const forms = protocols.map(protocol => `${protocol}://HOST:PORT`)
  return z.string({ error: `must be an address, e.g. ${example}` }).refine(url => form.test(url) && URL.canParse(url),
    `must be ${forms.slice(0, -1).join(', ')} or ${forms.at(-1)}, e.g. ${example}`)
}

/** @param url that `streamUrlSchema` has taken */
export function addressOf(url: string): StreamAddress {
  const { protocol, hostname: host, port } = new URL(url)
  return { protocol: protocol as StreamAddress['protocol'], host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

/** Visible ASCII without space: what names in such protocols may be. */
export function wordSchema(max: number): z.ZodString {
  return z.string().regex(new RegExp(`^[!-~]{1,${max}}$`), `must be 1 to ${max} visible ASCII characters, no space`)
}
