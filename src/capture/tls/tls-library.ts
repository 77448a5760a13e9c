import {
  PROBE_END, PROBE_FREE, PROBE_HANDSHAKE, PROBE_NEW, PROBE_READ, PROBE_READ_EX, PROBE_SHUTDOWN, PROBE_WRITE, PROBE_WRITE_EX,
  PROBE_WRITE_EX2,
} from '../events.gen.ts'

/** Which functions of a TLS library are probed (bpf/tls.bpf.c). */

/** One function, and what the probes there are told by their cookie. */
export interface TlsFunction {
  readonly symbol: string
  /** Cookie of the probe at its entry; undefined = none. */
  readonly entry?: number
  /** Cookie of the probe at its return; undefined = none. */
  readonly end?: number
}

/** A function without a name of its own, that others are built on. */
export interface TlsInner {
  /** Hands its arguments to it, all and unchanged: so it is found, and its arguments are known. */
  readonly by: string
  /** What is not to be probed besides, if it is seen to call the same. */
  readonly instead: readonly string[]
  readonly entry: number
}

export interface TlsLibrary {
  readonly name: string
  readonly functions: readonly TlsFunction[]
  /** The first of one entry's kind that is there. */
  readonly inner: readonly TlsInner[]
  /** Without all of these the library cannot be read. */
  readonly needed: readonly string[]
}

/** OpenSSL 1.1 and 3.x, BoringSSL, LibreSSL: the functions have kept their arguments; not each has every one. */
const OPENSSL: TlsLibrary = {
  name: 'OpenSSL',
  functions: [
    { symbol: 'SSL_read', entry: PROBE_READ, end: PROBE_END },
    { symbol: 'SSL_write', entry: PROBE_WRITE, end: PROBE_END },
    { symbol: 'SSL_read_ex', entry: PROBE_READ_EX, end: PROBE_END },
    { symbol: 'SSL_write_ex', entry: PROBE_WRITE_EX, end: PROBE_END },
    { symbol: 'SSL_write_ex2', entry: PROBE_WRITE_EX2, end: PROBE_END },
    { symbol: 'SSL_do_handshake', entry: PROBE_HANDSHAKE, end: PROBE_END },
    { symbol: 'SSL_shutdown', entry: PROBE_SHUTDOWN, end: PROBE_END },
    { symbol: 'SSL_new', end: PROBE_NEW },
    { symbol: 'SSL_free', entry: PROBE_FREE },
  ],
  inner: [
    { by: 'SSL_read_ex', instead: ['SSL_read', 'SSL_read_ex'], entry: PROBE_READ_EX },
    { by: 'SSL_write_ex', instead: ['SSL_write', 'SSL_write_ex'], entry: PROBE_WRITE_EX },
    { by: 'SSL_write_ex2', instead: ['SSL_write', 'SSL_write_ex', 'SSL_write_ex2'], entry: PROBE_WRITE_EX2 },
  ],
  needed: ['SSL_read', 'SSL_write'],
}

const GNUTLS: TlsLibrary = {
  name: 'GnuTLS',
  functions: [
    { symbol: 'gnutls_record_recv', entry: PROBE_READ, end: PROBE_END },
    { symbol: 'gnutls_record_recv_seq', entry: PROBE_READ, end: PROBE_END },
    { symbol: 'gnutls_record_send', entry: PROBE_WRITE, end: PROBE_END },
    { symbol: 'gnutls_record_send2', entry: PROBE_WRITE, end: PROBE_END },
    { symbol: 'gnutls_record_send_early_data', entry: PROBE_WRITE, end: PROBE_END },
    { symbol: 'gnutls_handshake', entry: PROBE_HANDSHAKE, end: PROBE_END },
    { symbol: 'gnutls_bye', entry: PROBE_SHUTDOWN, end: PROBE_END },
    { symbol: 'gnutls_deinit', entry: PROBE_FREE },
  ],
  inner: [],
  needed: ['gnutls_record_recv', 'gnutls_record_send'],
}

export const TLS_LIBRARIES: readonly TlsLibrary[] = [OPENSSL, GNUTLS]

/** Every function name that tells a TLS library. */
export const TLS_SYMBOLS: ReadonlySet<string> = new Set(TLS_LIBRARIES.flatMap(({ functions }) => functions.map(({ symbol }) => symbol)))
