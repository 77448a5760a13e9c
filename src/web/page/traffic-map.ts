import type { VNode } from 'preact'
import { useAnswer, type ViewAnswer } from './ask.ts'
import { format } from './format.ts'
import { html } from './html.ts'
import { type FlowEdge, flowOf, type FlowNode } from './traffic-flow.ts'

const EDGES = 200
const [ROW_PX, BOX_PX, WIDTH, BOX_WIDTH, WIRE_MAX_PX] = [40, 32, 1000, 210, 14]
const COLUMNS = ['Clients', 'Gateways', 'Servers'] as const

/** The picture; its figures stand in the table of the same view. */
export function TrafficMap({ question }: { readonly question: string }): VNode | null {
  const { answer, isWaiting } = useAnswer<ViewAnswer>(`/api/view/connections?${question}&limit=${EDGES}`)
  if (answer === undefined || answer.rows.length === 0) return null
  const { nodes, edges, left } = flowOf(answer.rows)
  const columns = COLUMNS.map((title, column) => ({ title, nodes: nodes.filter(node => node.column === column) }))
    .filter(column => column.nodes.length > 0)
  const rowsMax = Math.max(...columns.map(column => column.nodes.length))
  const height = rowsMax * ROW_PX + ROW_PX / 2
  const place = (node: FlowNode): { x: number, y: number } => {
    const at = columns.findIndex(column => column.nodes.includes(node))
    const within = columns[at]?.nodes ?? []
    const x = at * (WIDTH - BOX_WIDTH) / Math.max(1, columns.length - 1)
    return { x, y: ROW_PX / 2 + ((rowsMax - within.length) / 2 + within.indexOf(node)) * ROW_PX }
  }
  const most = Math.max(...edges.map(({ requests }) => requests))
  return html`<section class=${`card wide${isWaiting ? ' waiting' : ''}`} data-view="traffic-map" aria-busy=${String(isWaiting)}>
    <h2>Who calls whom</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Who calls whom"><svg class="map" viewBox=${`0 0 ${WIDTH} ${height}`} role="img"
      aria-label=${edges.map(({ from, to, requests }) => `${from.name} calls ${to.name}: ${format(requests, 'count')}`).join('; ')}>
      ${columns.map(({ title, nodes: [first] }) => html`<text class="muted" x=${place(first as FlowNode).x} y="11">${title}</text>`)}
      ${edges.map(edge => html`<${Wire} edge=${edge} start=${place(edge.from)} end=${place(edge.to)} share=${edge.requests / most} />`)}
      ${nodes.map(node => html`<${Box} node=${node} ...${place(node)} />`)}</svg></div>
    ${left === 0 ? null : html`<p class="note">${format(left, 'count')} requests of others are in the table only.</p>`}</section>`
}

interface WireOptions {
  readonly edge: FlowEdge
  readonly start: { readonly x: number, readonly y: number }
  readonly end: { readonly x: number, readonly y: number }
  /** Of the widest. */
  readonly share: number
}

function Wire({ edge, start, end, share }: WireOptions): VNode {
  const [x1, y1, x2, y2] = [start.x + BOX_WIDTH, start.y + BOX_PX / 2, end.x, end.y + BOX_PX / 2]
  const middle = (x1 + x2) / 2
  const width = Math.max(1.5, Math.sqrt(share) * WIRE_MAX_PX)
  return html`<path class="wire" d=${`M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`}
      stroke-width=${width}>
    <title>${`${edge.from.name} to ${edge.to.name}: ${format(edge.requests, 'count')} requests`}</title></path>
    <text class="muted" x=${x1 + 8} y=${y1 - width / 2 - 3}>${format(edge.requests, 'count')}</text>`
}

function Box({ node, x, y }: { readonly node: FlowNode, readonly x: number, readonly y: number }): VNode {
  const text = (value: string): string => value.length > 34 ? `${value.slice(0, 33)}…` : value
  return html`<g><title>${`${node.name} ${node.about}`}</title><rect class="box" x=${x + 0.5} y=${y} width=${BOX_WIDTH - 1} height=${BOX_PX} rx="6" />
    <text x=${x + 10} y=${y + (node.about === '' ? 20 : 14)}>${text(node.name)}</text>
    ${node.about === '' ? null : html`<text class="muted small" x=${x + 10} y=${y + 27}>${text(node.about)}</text>`}</g>`
}
