import type { Hindrance } from '../delivery/mod.ts'
import { connectionTrouble } from '../http/mod.ts'

/** What became of the records of one request, by partition. */
export interface Outcome {
  /** Partitions whose leader has said that it and the replicas in sync have them. */
  readonly taken: ReadonlySet<number>
  /** Partitions whose leader refused them for good: the name of the error. */
  readonly refused: ReadonlyMap<number, string>
}

/** An error of the client: a tree of attempts, answers and causes. */
interface ClientError extends Error {
  readonly code?: string
  /** Name of the broker's error. */
  readonly apiId?: string
  readonly errors?: readonly ClientError[]
  readonly cause?: ClientError
  /** Answers of those brokers that took everything. */
  readonly produced?: { readonly offsets?: readonly { readonly partition: number }[] }
  /** The answer of one that did not. */
  readonly response?: { readonly responses?: readonly { readonly partitionResponses: readonly PartitionAnswer[] }[] }
}

interface PartitionAnswer {
  readonly index: number
  readonly errorCode: number
}

/** Codes of answers to Produce that are about the records: sent again they are refused again. */
const FOR_GOOD = new Map([
  [10, 'MESSAGE_TOO_LARGE: larger than max.message.bytes of the topic'], [18, 'RECORD_LIST_TOO_LARGE: larger than a segment of the topic'],
  [32, 'INVALID_TIMESTAMP: outside of what the topic allows'], [87, 'INVALID_RECORD: not what the topic takes (a compacted one needs keys)'],
])

/** What the answers within an error say. Of more than one attempt the last counts, but what was taken once is taken. */
export function outcomeOf(error: unknown): Outcome {
  const taken = new Set<number>()
  const refused = new Map<number, string>()
  for (const one of tree(error)) {
    for (const { partition } of one.produced?.offsets ?? []) taken.add(partition)
    for (const { index, errorCode } of one.response?.responses?.flatMap(({ partitionResponses }) => partitionResponses) ?? []) {
      const reason = FOR_GOOD.get(errorCode)
      if (errorCode === 0) taken.add(index)
      else if (reason === undefined) refused.delete(index)
      else refused.set(index, reason)
    }
  }
  for (const partition of taken) refused.delete(partition)
  return { taken, refused }
}

type Named = readonly [reason: string, what: string, mend: string]

/** By the broker's name of an error; {topic} and {user} stand for what is configured. */
const ANSWERS = new Map<string, Named>([
  ['UNKNOWN_TOPIC_OR_PARTITION', ['topic missing', 'there is no topic "{topic}"',
    'create it, or set topic; a broker also says so when the user may not see it']],
  ['INVALID_TOPIC_EXCEPTION', ['topic invalid', 'the broker does not take the topic "{topic}"', 'set topic to one that records may be sent to']],
  ['TOPIC_AUTHORIZATION_FAILED', ['not allowed', '{user} may not write to the topic "{topic}"',
    'allow it: kafka-acls --add --producer --topic {topic}']],
  ['CLUSTER_AUTHORIZATION_FAILED', ['not allowed', '{user} may not write idempotently',
    'allow it: kafka-acls --add --producer --idempotent --topic {topic}']],
  ['SASL_AUTHENTICATION_FAILED', ['credentials refused', 'the credentials of {user} are not taken', 'look at sasl: mechanism, user and password']],
  ['UNSUPPORTED_SASL_MECHANISM', ['credentials refused', 'the broker does not offer this SASL mechanism',
    'set sasl.mechanism to one of its sasl.enabled.mechanisms']],
  ['ILLEGAL_SASL_STATE', ['credentials refused', 'this listener takes no SASL', 'leave sasl out, or use the port of a SASL listener']],
  ['NOT_ENOUGH_REPLICAS', ['too few replicas', 'fewer replicas are in sync than min.insync.replicas', 'look at the cluster\'s brokers']],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', ['too few replicas', 'fewer replicas are in sync than min.insync.replicas', 'look at the cluster\'s brokers']],
  ['LEADER_NOT_AVAILABLE', ['no leader', 'a partition of "{topic}" has no leader', 'look at the cluster\'s brokers']],
  ['NOT_LEADER_OR_FOLLOWER', ['no leader', 'a partition of "{topic}" is between two leaders', 'wait, or look at the cluster\'s brokers']],
  ['KAFKA_STORAGE_ERROR', ['disk of the broker', 'the broker cannot write to its disk', 'look at its log']],
  ['REQUEST_TIMED_OUT', ['no answer', 'the replicas did not answer the leader in time', 'look at the cluster\'s brokers']],
])

const NO_TLS: Named = ['no TLS', 'the TLS handshake is cut off, or this listener speaks no TLS',
  'leave tls out, or give the port of a TLS listener']
const TLS_CUT = /WRONG_VERSION_NUMBER|PACKET_LENGTH|secure TLS connection was established/

/** By texts of the client. */
const TEXTS: readonly (readonly [RegExp, Named])[] = [
  [/^Unknown topic /, ANSWERS.get('UNKNOWN_TOPIC_OR_PARTITION') as Named],
  [/^Broker requires TLS/, ['TLS wanted', 'this listener wants TLS', 'give tls, {} at least, or the port of a listener without it']],
  [/^Cannot find a suitable SASL mechanism/, ANSWERS.get('UNSUPPORTED_SASL_MECHANISM') as Named],
  [/^(?:SASL authentication failed|Invalid server signature|Server nonce)/, ANSWERS.get('SASL_AUTHENTICATION_FAILED') as Named],
  [/timed out/i, ['no answer', 'no answer in time', 'is it reachable from here, and are its advertised.listeners? timeout may be raised']],
  [/^Connection closed/, ['connection closed', 'the broker closed the connection', 'is it up, and does this listener want tls or sasl?']],
]

/** What the configuration calls things. */
export interface Configured {
  readonly target: string
  readonly topic: string
  readonly user: string | undefined
  /** Takes secrets out of text. */
  clean(text: string): string
}

/** Why nothing was taken, with the mend. Of more than one error: the last, what a broker said before what a socket said. */
export function hindranceOf(error: unknown, configured: Configured): Hindrance {
  const all = [...tree(error)].reverse()
  const answer = all.find(({ apiId }) => ANSWERS.has(apiId ?? ''))
  if (answer !== undefined) return hindrance(ANSWERS.get(answer.apiId as string) as Named, where(all), configured)
  for (const one of all) {
    const named = TLS_CUT.test(`${one.code} ${one.message}`) ? NO_TLS : TEXTS.find(([pattern]) => pattern.test(one.message))?.[1]
    if (named !== undefined) return hindrance(named, where(all), configured)
    if (isOfSystem(one)) return connectionTrouble(one, `${configured.target}${where(all)}`, text => configured.clean(text))
  }
  const other = all.find(({ apiId }) => apiId !== undefined) ?? all[0]
  const text = `${other?.apiId === undefined ? '' : `${other.apiId}: `}${other?.message ?? String(error)}`
  return { reason: 'request failed', message: `Cannot send to ${configured.target}: ${configured.clean(text)}` }
}

function hindrance([reason, what, mend]: Named, at: string, { target, topic, user, clean }: Configured): Hindrance {
  const who = user === undefined ? 'a client without sasl' : `user "${clean(user)}"`
  const named = (text: string): string => text.replaceAll('{topic}', topic).replaceAll('{user}', who)
  return { reason, message: `Cannot send to ${target}${at}: ${named(what)}; ${named(mend)}` }
}

/** Which of the brokers, where the client says so: it may be one that only the cluster's metadata have named. */
function where(all: readonly ClientError[]): string {
  const host = all.map(({ message }) => /^Connection to (\S+?) (?:failed|timed out)/.exec(message)?.[1]).find(found => found !== undefined)
  return host === undefined ? '' : ` (broker ${host})`
}

/** Of a socket, a name or a certificate, not of the client itself. */
function isOfSystem({ code, errors }: ClientError): boolean {
  return code !== undefined && errors === undefined && !code.startsWith('PLT_KFK')
}

/** The error and all that is in it, each before what it holds. */
function* tree(error: unknown, depth = 0): Generator<ClientError> {
  if (!(error instanceof Error) || depth > 8) return
  const one = error as ClientError
  yield one
  for (const inner of one.errors ?? []) yield* tree(inner, depth + 1)
  yield* tree(one.cause, depth + 1)
}
