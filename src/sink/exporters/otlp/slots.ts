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
