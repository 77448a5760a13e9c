/** Who calls whom, as a picture: callers on the left, what they call on the right, and between them what does both, as a gateway does. */
export interface Flow {
  readonly nodes: readonly FlowNode[]
  readonly edges: readonly FlowEdge[]
  /** Requests of edges that did not find room. */
  readonly left: number
}

export interface FlowNode {
  readonly column: 0 | 1 | 2
  readonly name: string
  /** What listens there. */
  readonly about: string
}

export interface FlowEdge {
  readonly from: FlowNode
  readonly to: FlowNode
  readonly requests: number
}

/** Of one column. */
const NODES_MAX = 12

/** Rows of the view `connections`: client, server, port, process, requests. */
export function flowOf(rows: readonly (readonly unknown[])[]): Flow {
  const pairs = rows.map(([client, server, port, process, requests]) => ({
    client: String(client ?? '?'), server: String(server ?? '?'), about: [process, port].filter(part => part !== null).join(' :'),
    requests: Number(requests),
  }))
  const others = pairs.filter(({ client, server }) => client !== server)
  const [callers, called] = [new Set(others.map(({ client }) => client)), new Set(others.map(({ server }) => server))]
  const nodes = new Map<string, FlowNode>()
  const full = [0, 0, 0]
  const nodeAt = (column: FlowNode['column'], name: string, about: string): FlowNode | undefined => {
    const key = `${column} ${name}`
    const known = nodes.get(key)
    if (known === undefined && full[column] === NODES_MAX) return undefined
    if (known === undefined) full[column] = (full[column] as number) + 1
    const abouts = new Set([...(known?.about.split(', ') ?? []), about].filter(text => text !== ''))
    nodes.set(key, { column, name, about: [...abouts].join(', ') })
    return nodes.get(key)
  }
  const wires = new Map<string, { from: string, to: string, requests: number }>()
  let left = 0
  for (const { client, server, about, requests } of pairs) {
    const from: FlowNode['column'] = called.has(client) ? 1 : 0
    // What calls itself does so from one column to the next.
    const to: FlowNode['column'] = callers.has(server) && from === 0 ? 1 : 2
    if (nodeAt(from, client, '') === undefined || nodeAt(to, server, about) === undefined) {
      left += requests
      continue
    }
    const key = `${from} ${client}\n${to} ${server}`
    wires.set(key, { from: `${from} ${client}`, to: `${to} ${server}`, requests: requests + (wires.get(key)?.requests ?? 0) })
  }
  const edges = [...wires.values()].map(({ from, to, requests }) => (
    { from: nodes.get(from) as FlowNode, to: nodes.get(to) as FlowNode, requests }))
  return { nodes: [...nodes.values()], edges, left }
}
