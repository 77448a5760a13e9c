/** What may be wrong with a PROXY header: the names under which it is counted. */
export const PROXY_ANOMALY = {
  /** It breaks the grammar: what follows it is read all the same where its end is known. */
  header: 'proxy_header',
  /** The connection ended inside it. */
  headerCut: 'proxy_header_cut',
  /** Bytes are missing inside it. */
  headerLost: 'proxy_header_lost',
  /** The shared memory's limit refused room for it. */
  memoryLimit: 'proxy_memory_limit',
} as const
export type ProxyAnomaly = (typeof PROXY_ANOMALY)[keyof typeof PROXY_ANOMALY]
