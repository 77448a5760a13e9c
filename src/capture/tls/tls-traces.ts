import { openBinary } from './tls-binary.ts'

/** In every implementation of TLS 1.3, stripped or not: a label of its key schedule (RFC 8446 7.1). */
const KEY_LABEL = 'c hs traffic'
/** What the implementations say of themselves in their error texts and paths; the first that is there names it. */
const NAMES: readonly (readonly [string, string])[] = [
  ['ssl_lib.cc', 'BoringSSL'], ['rustls', 'rustls'], ['wolfSSL', 'wolfSSL'], ['mbedtls', 'Mbed TLS'], ['s2n_', 's2n'],
  ['OpenSSL ', 'OpenSSL'],
]
const DATA = '.rodata'

/**
 * Whether there is TLS in a file whose functions do not tell, as in a program that was linked statically and stripped.
 *
 * @param path a file that is mapped as code by some process
 * @returns the implementation's name, as far as it says one; undefined = no trace of TLS 1.3, or not to be read
 */
export function tlsTraces(path: string): string | undefined {
  using elf = openBinary(path)
  const section = elf?.section(DATA)
  const bytes = section === undefined ? undefined : elf?.read(section)
  if (bytes === undefined) return undefined
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!data.includes(KEY_LABEL)) return undefined
  return NAMES.find(([text]) => data.includes(text))?.[1] ?? 'unknown'
}
