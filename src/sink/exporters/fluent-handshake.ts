import { createHash, randomBytes } from 'node:crypto'
import { Packer, type Unpacked } from '../../../lib/msgpack/mod.ts'
import { OddAnswer } from './stream-socket.ts'

/** What the two ends know of each other beforehand. */
export interface FluentSecrets {
  readonly sharedKey: string
  readonly user?: { readonly name: string, readonly password: string } | undefined
  /** Name of this end. */
  readonly hostName: string
}

/** What a server says first, when it wants a shared key: https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1#helo */
export interface Helo {
  readonly nonce: Buffer
  /** Salt for the password; empty where none is wanted. */
  readonly authSalt: Buffer
  readonly isKept: boolean
}

/** `["HELO", {"nonce": ..., "auth": ..., "keepalive": ...}]`. @throws {OddAnswer} when it is something else */
export function heloOf(value: Unpacked): Helo {
  const [name, options] = Array.isArray(value) ? value as readonly Unpacked[] : []
  const nonce = options instanceof Map ? options.get('nonce') as Unpacked | undefined : undefined
  if (!isText(name, 'HELO') || !Buffer.isBuffer(nonce)) {
    throw new OddAnswer('begins with no HELO; is it the forward input of a Fluentd or Fluent Bit?')
  }
  const pairs = options as ReadonlyMap<string, Unpacked>
  const salt = pairs.get('auth')
  return { nonce, authSalt: Buffer.isBuffer(salt) ? salt : Buffer.alloc(0), isKept: pairs.get('keepalive') !== false }
}

/** The answer to it, and what tells whether the server knows the key too. */
export class Ping {
  readonly bytes: Buffer
  readonly #nonce: Buffer
  readonly #salt = randomBytes(16).toString('hex')
  readonly #secrets: FluentSecrets

  /** @throws {OddAnswer} when the server wants a user and there is none */
  constructor({ nonce, authSalt }: Helo, secrets: FluentSecrets) {
    this.#nonce = nonce
    this.#secrets = secrets
    const { hostName, user } = secrets
    if (authSalt.length > 0 && user === undefined) throw new OddAnswer('wants a user: set user and password', 'credentials refused')
    const isAsked = authSalt.length > 0 && user !== undefined
    const [name, digest] = isAsked ? [user.name, hexDigest(authSalt, user.name, user.password)] : ['', '']
    this.bytes = new Packer(512).array(6).text('PING').text(hostName).text(this.#salt).text(this.#digest(hostName)).text(name).text(digest).bytes
  }

  /**
   * `["PONG", taken, reason, name of the server, digest]`.
   *
   * @param clean takes secrets out of the reason
   * @throws {OddAnswer} when this end is refused, or the server does not know the key
   */
  check(pong: Unpacked, clean: (text: string) => string): void {
    const [name, isTaken, reason, host, digest] = Array.isArray(pong) ? pong as readonly Unpacked[] : []
    if (!isText(name, 'PONG') || typeof isTaken !== 'boolean') {
      throw new OddAnswer('answers no PONG; is it the forward input of a Fluentd or Fluent Bit?')
    }
    if (!isTaken) {
      const why = Buffer.isBuffer(reason) && reason.length > 0 ? ` (${clean(reason.toString())})` : ''
      throw new OddAnswer(`refuses the shared key or the user${why}; look at shared_key, user and password`, 'credentials refused')
    }
    if (isText(host, this.#secrets.hostName)) { // its digest would be ours, which anybody can send back
      throw new OddAnswer('has the name of this end, so it cannot show that it knows the shared key: set host_name', 'server refused')
    }
    if (!Buffer.isBuffer(host) || !isText(digest, this.#digest(host))) {
      throw new OddAnswer('does not know the shared key, so nothing is sent to it; look at shared_key, here and there', 'server refused')
    }
  }

  #digest(hostName: string | Buffer): string {
    return hexDigest(this.#salt, hostName, this.#nonce, this.#secrets.sharedKey)
  }
}

function hexDigest(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

function isText(value: Unpacked | undefined, text: string): boolean {
  return Buffer.isBuffer(value) && value.toString() === text
}
