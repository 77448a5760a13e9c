/** What an agent counted as lost, left out or strange, by name: what may explain that an exchange is missing. */
export class AgentCounts {
  readonly #counts: ReadonlyMap<string, number>
  /** Of the connections, those that the agent read at last. */
  readonly #share: number
  /** Bytes of payload that the kernel gave to the agent. */
  readonly bytes: number

  private constructor(counts: ReadonlyMap<string, number>, share: number, bytes: number) {
    this.#counts = counts
    this.#share = share
    this.bytes = bytes
  }

  /** As its page of metrics tells them now. @param address host and port */
  static async read(address: string): Promise<AgentCounts> {
    const text = await (await fetch(`http://${address}/metrics`)).text()
    const counts = new Map<string, number>()
    for (const { pattern, name } of NAMED) {
      for (const [, label, count] of text.matchAll(pattern)) counts.set(name(label!), Number(count))
    }
    const bytes = Number(/^lintel_packet_bytes_total\{outcome="delivered"\} (\d+)/m.exec(text)?.[1] ?? Number.NaN)
    if (Number.isNaN(bytes)) throw new Error(`Cannot read the metrics of lintel: ${text.slice(0, 2000)}`)
    return new AgentCounts(counts, Number(/^lintel_connections_share ([\d.]+)/m.exec(text)?.[1] ?? 1), bytes)
  }

  /** What was counted from `before` on. */
  since(before: AgentCounts): AgentCounts {
    const counts = [...this.#counts].map(([name, count]) => [name, count - (before.#counts.get(name) ?? 0)] as const)
    return new AgentCounts(new Map(counts.filter(([, count]) => count > 0)), Math.min(this.#share, before.#share), this.bytes - before.bytes)
  }

  /** In words: each reason with its count, anomalies the most frequent; and what of `missing` exchanges these cannot be. */
  show(missing: number): string {
    const [anomalies, reasons] = [true, false].map((isAnomaly) => (
      [...this.#counts].filter(([name]) => name.startsWith(ANOMALY) === isAnomaly).sort(([, one], [, other]) => other - one)))
    // An exchange that is missing was a packet at least that did not come, or a record that went no further.
    const unexplained = missing - reasons!.reduce((sum, [, count]) => sum + count, 0)
    const parts = [...reasons!, ...anomalies!.slice(0, ANOMALIES_SHOWN)].map(([name, count]) => `${name} ${count}`)
    if (this.#share < 1) parts.push(`${Math.round(this.#share * 100)} % of the connections read`)
    if (unexplained > 0) parts.push(`**not counted ${unexplained}**`)
    return parts.length === 0 ? '-' : parts.join(', ')
  }
}

const ANOMALY = 'anomaly '
const ANOMALIES_SHOWN = 3
const NAMED: readonly { pattern: RegExp; name: (label: string) => string }[] = [
  { pattern: /^lintel_packets_total\{outcome="lost",reason="(\w+)"\} (\d+)/gm, name: (reason) => `packets ${reason}` },
  { pattern: /^lintel_packets_total\{outcome="not_wanted",reason="(overload|sampled)"\} (\d+)/gm, name: (reason) => `packets ${reason}` },
  { pattern: /^lintel_tls_calls_total\{outcome="lost",reason="(\w+)"\} (\d+)/gm, name: (reason) => `TLS calls ${reason}` },
  { pattern: /^lintel_records_total\{outcome="(filtered|sampled)"[^}]*\} (\d+)/gm, name: (outcome) => `records ${outcome}` },
  { pattern: /^lintel_records_total\{outcome="dropped",reason="([^"]+)"\} (\d+)/gm, name: (reason) => `records dropped: ${reason}` },
  { pattern: /^lintel_anomalies_total\{name="(\w+)"\} (\d+)/gm, name: (name) => `${ANOMALY}${name}` },
]
