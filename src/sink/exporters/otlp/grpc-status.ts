import type { Answer, Hindrance } from '../../delivery/mod.ts'
import { messageOf, numberOf, textOf, wireFields } from './wire-reader.ts'

/** https://github.com/grpc/grpc/blob/master/doc/statuscodes.md, by number. */
const NAMES = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED',
] as const

/** Refused for what some of the records are. */
const APART = new Set(['INVALID_ARGUMENT', 'ALREADY_EXISTS'])

const MENDS = new Map<string, string>([
  ['UNAUTHENTICATED', 'the credentials are not taken: look at auth'],
  ['PERMISSION_DENIED', 'the credentials are not allowed to write there: look at auth'],
  ['UNIMPLEMENTED', 'it does not know this call or compression: look at url, signals and compression'],
])

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'

export interface GrpcEnd {
  /** grpc-status. */
  readonly code: number
  /** grpc-message, its percent-encoding taken off. */
  readonly message: string
  /** grpc-status-details-bin: a google.rpc.Status, base64. */
  readonly details: string | undefined
}

/**
 * What the end of a call means for a batch, when it is not OK. https://opentelemetry.io/docs/specs/otlp/#failures: RESOURCE_EXHAUSTED may be
 * tried again only where the server says when; without that it is the request's size, most often, so it is sent in halves. What is for
 * people to mend (credentials, a wrong server) waits, and so do UNKNOWN and INTERNAL, as a 500 over HTTP.
 */
export function grpcAnswer(end: GrpcEnd, target: string, clean: (text: string) => string): Exclude<Answer, { outcome: 'done' }> {
  const name = NAMES[end.code] ?? `code ${end.code}`
  const said = clean(end.message)
  const waitMs = retryDelayMs(end.details)
  if (APART.has(name) || name === 'RESOURCE_EXHAUSTED' && waitMs === undefined) {
    return { outcome: 'apart', reason: said === '' ? name : `${name}: ${said}` }
  }
  const mend = MENDS.get(name)
  const message = `${target} answers ${name}${said === '' ? '' : ` (${said})`}${mend === undefined ? '' : `; ${mend}`}`
  const hindrance: Hindrance = { reason: `status ${name}`, message, afterMs: waitMs }
  return { outcome: 'later', hindrance }
}

/** retry_delay (1: seconds 1, nanos 2) of the RetryInfo among the details (3: type_url 1, value 2) of a Status; undefined = it says none. */
export function retryDelayMs(details: string | undefined): number | undefined {
  const status = details === undefined ? undefined : wireFields(Buffer.from(details, 'base64'))
  const any = messageOf(status, 3)
  if (textOf(any, 1) !== RETRY_INFO) return undefined
  const delay = messageOf(messageOf(any, 2), 1)
  return delay === undefined ? undefined : Math.ceil(numberOf(delay, 1) * 1000 + numberOf(delay, 2) / 1e6)
}
