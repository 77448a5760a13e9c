/** The key for hashes and anonymised addresses: read from one place, never shown, wiped after use. */
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import type { PrivacyOptions } from './options.ts'

const LEAST_BYTES = 16
const MOST_BYTES = 65_536

type KeyOptions = Pick<PrivacyOptions, 'hash_key_file' | 'hash_key_env' | 'hash_key_ephemeral'>

function readKeyFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new Error(`Cannot read the hash key from "${path}": ${code}; make the file readable or change ` +
      `privacy.hash_key_file`)
  }
}

const EPHEMERAL = 'lintel privacy key of this run'

/**
 * A copy of this run's random key. Made once: it stays the same when the options are read again, and every
 * worker thread that is started after the first call has it too. The main thread calls this before it starts workers.
 */
export function shareEphemeralKey(): Buffer {
  const shared = getEnvironmentData(EPHEMERAL)
  if (shared instanceof Uint8Array) return Buffer.from(shared)
  const key = randomBytes(32)
  setEnvironmentData(EPHEMERAL, new Uint8Array(key))
  return key
}

/** One line break at the end of a file is the editor's, not the key's. */
function withoutLineBreak(bytes: Buffer): Buffer {
  let end = bytes.length
  if (end > 0 && bytes[end - 1] === 10) end--
  if (end > 0 && bytes[end - 1] === 13) end--
  return bytes.subarray(0, end)
}

/**
 * The configured key, or undefined when none is. The caller fills it with zeros after use.
 *
 * @throws {Error} naming the place, when two places are named, or the key is missing, shorter than 16 or longer than 65,536 bytes
 */
export function readHashKey(options: KeyOptions, environment: NodeJS.ProcessEnv = process.env): Buffer |
  undefined {
  const { hash_key_file: file, hash_key_env: variable, hash_key_ephemeral: ephemeral } = options
  if (Number(file !== undefined) + Number(variable !== undefined) + Number(ephemeral) > 1) {
    throw new Error('Cannot choose the hash key: more than one of privacy.hash_key_file, hash_key_env and ' +
      'hash_key_ephemeral '
      + 'is set; keep one')
  }
  if (ephemeral) return shareEphemeralKey()
  if (file !== undefined) return checked(withoutLineBreak(readKeyFile(file)), `the file "${file}"`)
  if (variable === undefined) return undefined
  const text = environment[variable]
  if (text === undefined) {
    throw new Error(`Cannot read the hash key from the environment variable "${variable}": it is not set; ` +
      `set it or change `
      + 'privacy.hash_key_env')
  }
  return checked(Buffer.from(text, 'utf8'), `the environment variable "${variable}"`)
}

function checked(key: Buffer, place: string): Buffer {
  if (key.length >= LEAST_BYTES && key.length <= MOST_BYTES) return key
  const length = key.length
  key.fill(0)
  if (length > MOST_BYTES) throw new Error(`Cannot use the hash key from ${place}: it has ${length} bytes; use at most ${MOST_BYTES}`)
  throw new Error(`Cannot use the hash key from ${place}: it has ${length} bytes; make one of at least ` +
    `${LEAST_BYTES}, `
    + 'e.g. with "openssl rand -hex 32"')
}

/** 16 bytes for the anonymisation of addresses: another use must not share the key itself. */
export function deriveAddressKey(key: Buffer): Buffer {
  return createHmac('sha256', key).update('lintel addresses 1').digest().subarray(0, 16)
}
