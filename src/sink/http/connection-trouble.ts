import type { Hindrance } from '../delivery/mod.ts'

const CERTIFICATE = ['certificate refused', 'set tls.ca to the authority of the server\'s certificate, tls.server_name to its name, ' +
  'tls.cert and tls.key to what it asks for'] as const
const CLOSED = ['connection closed', ''] as const

/** By error code: the name of the trouble, and its mend. */
const TROUBLE = new Map<string, readonly [reason: string, mend: string]>([
  ['ECONNREFUSED', ['connection refused', 'is the server running, and is the port right?']],
  ['ENOTFOUND', ['name not found', 'is the host\'s name right, and does this machine resolve it?']],
  ['EAI_AGAIN', ['name not found', 'this machine\'s resolver does not answer']],
  ['ETIMEDOUT', ['no answer', 'is it reachable from here? timeout may be raised']],
  ['EHOSTUNREACH', ['unreachable', 'there is no way from here to that host']],
  ['ENETUNREACH', ['unreachable', 'there is no way from here to that network']],
  ['ECONNRESET', CLOSED], ['EPIPE', CLOSED], ['HPE_INVALID_CONSTANT', ['no HTTP', 'is this the port of an HTTP server, and https or http right?']],
  ['ABORT_ERR', ['stopped', '']],
])

/** An error of a socket or a request by name and mend. @param clean takes secrets out of the error's text */
export function connectionTrouble(error: Error, target: string, clean: (text: string) => string): Hindrance {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const [reason, mend] = TROUBLE.get(code) ?? (/CERT|TLS|SSL|ISSUER|VERIFY/.test(code) ? CERTIFICATE : ['request failed', ''])
  return { reason, message: `Cannot send to ${target}: ${clean(error.message)}${mend === '' ? '' : `; ${mend}`}` }
}
