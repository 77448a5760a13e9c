import { openBinary } from './tls-binary.ts'

/** In every implementation of TLS 1.3, stripped or not: a label of its key schedule (RFC 8446 7.1). */
const KEY_LABEL = 'c hs traffic'
/** What the implementations say of themselves in their error texts and paths; the first that is there names it. */
const NAMES: readonly (readonly [string, string])[] = [
  ['ssl_lib.cc', 'BoringSSL'], ['rustls', 'rustls'], ['wolfSSL', 'wolfSSL'], ['mbedtls', 'Mbed TLS'], ['s2n_', 's2n'],
  ['OpenSSL ', 'OpenSSL'],
]
const DATA = '.rodata'
const TEXT_BYTES_MAX = KEY_LABEL.length

/**
 * Whether there is TLS in a file whose functions do not tell, as in a program that was linked statically and stripped.
 *
 * @param path a file that is mapped as code by some process
 * @returns the implementation's name, as far as it says one; undefined = no trace of TLS 1.3, or not to be read
 */
export function tlsTraces(path: string): string | undefined {
  using elf = openBinary(path)
  const section = elf?.section(DATA)
  if (elf === undefined || section === undefined) return undefined
  let has = false
  const said = new Set<string>()
  for (const { bytes } of elf.pieces(section, TEXT_BYTES_MAX)) {
    has ||= bytes.includes(KEY_LABEL)
    for (const [text, name] of NAMES) if (!said.has(name) && bytes.includes(text)) said.add(name)
  }
  return has ? NAMES.find(([, name]) => said.has(name))?.[1] ?? 'unknown' : undefined
}
