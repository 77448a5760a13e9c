/** The fields that a log record or a span is made of, beside standing among its attributes. */
export const SLOTS = [
  'time', 'kind', 'duration', 'event.name', 'trace.id', 'span.id', 'trace.sampled', 'http.request.method', 'http.response.status_code',
  'url.domain', 'url.path', 'rpc.method', 'rpc.status_code', 'network.protocol.name',
  'client.process.pid', 'client.container.name', 'client.systemd.unit', 'client.process.executable.name',
  'server.process.pid', 'server.container.name', 'server.systemd.unit', 'server.process.executable.name',
  'time_to_first_byte', 'rpc.deadline', 'tcp.handshake_duration',
] as const

export type SlotName = (typeof SLOTS)[number]

const ID = new Map<string, number>(SLOTS.map((name, index) => [name, index]))

export function slot(name: SlotName): number {
  return ID.get(name) as number
}

/** Fields of the type "seconds": doubles also where their text is whole, so that an attribute has one type. */
export const SECONDS: readonly SlotName[] = ['duration', 'time_to_first_byte', 'rpc.deadline', 'tcp.handshake_duration']

interface Entry {
  readonly id: number
  readonly bytes: Buffer
}

const BY_LENGTH: (readonly Entry[] | undefined)[] = Array.from({ length: 64 }, (_, length) => {
  const entries = SLOTS.filter(name => name.length === length).map(name => ({ id: slot(name), bytes: Buffer.from(name) }))
  return entries.length === 0 ? undefined : entries
})

/** The slot of the field whose name is the first `length` bytes; -1 = none. */
export function slotOf(path: Buffer, length: number): number {
  const entries = BY_LENGTH[length]
  if (entries === undefined) return -1
  for (const { id, bytes } of entries) {
    let at = length - 1
    while (at >= 0 && bytes[at] === path[at]) at--
    if (at < 0) return id
  }
  return -1
}
