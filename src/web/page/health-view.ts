import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { About } from './about.ts'
import { ask } from './ask.ts'
import { age, bytes, format } from './format.ts'
import { html } from './html.ts'
import { questionText } from './overview.ts'
import type { TimeRange } from './time-range.ts'
import { ViewTable } from './view-table.ts'

type Counts = Readonly<Record<string, number>>

interface Health {
  readonly uptimeMs: number
  readonly residentBytes: number
  readonly connectionsOpen: number
  readonly attachments: readonly { readonly where: string, readonly hook: string, readonly bothDirections: boolean }[]
  readonly packets: { readonly seen: number, readonly delivered: number, readonly notWanted: Counts, readonly lost: Counts }
  readonly tlsCalls?: { readonly seen: number, readonly delivered: number, readonly lost: Counts }
  readonly records: {
    readonly seen: number, readonly logged: number, readonly filtered: number, readonly sampled: number, readonly queued: number
    readonly dropped: Counts
  }
  readonly anomalies: Counts
  readonly outputs: readonly {
    readonly name: string, readonly queuedBytes: number, readonly writtenRecords: number, readonly dropped: Counts, readonly lastError?: string
  }[]
}

const ASK_MS = 2000
const TABLES = ['anomalies', 'marks', 'header-names']

/** What the capture saw, lost and why: of the agent as it runs, and of the store. */
export function HealthView({ about, range, filter }: { readonly about: About, readonly range: TimeRange, readonly filter: string }): VNode {
  const health = useHealth(about.isLive)
  const question = questionText(range, filter)
  return html`<div class="grid">
    ${health === undefined ? null : html`<${AgentHealth} health=${health} />`}
    ${about.hasStore ? about.views.filter(({ name }) => TABLES.includes(name))
      .map(view => html`<${ViewTable} key=${view.name} view=${view} question=${question} filter=${filter} rows=${50} />`) : null}
  </div>`
}

function useHealth(isLive: boolean): Health | undefined {
  const [health, setHealth] = useState<Health>()
  useEffect(() => {
    if (!isLive) return
    const look = (): void => {
      ask<{ health: Health | null }>('/api/health').then(answer => { setHealth(answer.health ?? undefined) }, () => { setHealth(undefined) })
    }
    look()
    const timer = setInterval(look, ASK_MS)
    return () => { clearInterval(timer) }
  }, [isLive])
  return health
}

function AgentHealth({ health }: { readonly health: Health }): VNode {
  const { packets, records, tlsCalls } = health
  const lost = total(packets.lost) + total(tlsCalls?.lost ?? {})
  return html`<section class="card wide totals" data-view="agent"><dl>
      <div><dt>Running for</dt><dd>${age(health.uptimeMs / 1000)}</dd></div><div><dt>Memory</dt><dd>${bytes(health.residentBytes)}</dd></div>
      <div><dt>Connections</dt><dd>${count(health.connectionsOpen)}</dd></div><div><dt>Packets seen</dt><dd>${count(packets.seen)}</dd></div>
      <div><dt>Lost</dt><dd class=${lost > 0 ? 's5' : ''}>${count(lost)}</dd></div><div><dt>Records logged</dt><dd>${count(records.logged)}</dd></div>
      <div><dt>Dropped</dt><dd class=${total(records.dropped) > 0 ? 's5' : ''}>${count(total(records.dropped))}</dd></div>
      <div><dt>Queued</dt><dd>${count(records.queued)}</dd></div></dl></section>
    <${Reasons} title="Packets lost" counts=${packets.lost} /><${Reasons} title="Packets not wanted" counts=${packets.notWanted} />
    <${Reasons} title="TLS calls lost" counts=${tlsCalls?.lost ?? {}} /><${Reasons} title="Records dropped" counts=${records.dropped} />
    <${Reasons} title="Anomalies" counts=${health.anomalies} />
    <section class="card"><h2>Outputs</h2><table><thead><tr><th scope="col">Output</th><th scope="col" class="count">Written</th>
      <th scope="col" class="bytes">Waits</th><th scope="col">Dropped, trouble</th></tr></thead><tbody>
      ${health.outputs.map(output => html`<tr><td>${output.name}</td><td class="count">${count(output.writtenRecords)}</td>
        <td class="bytes">${bytes(output.queuedBytes)}</td>
        <td>${Object.entries(output.dropped).map(([reason, number]) => `${reason}: ${count(number)} `)}${output.lastError ?? ''}</td></tr>`)}
    </tbody></table></section>
    <section class="card"><h2>Attached</h2><ul>${health.attachments.map(({ where, hook, bothDirections }) =>
      html`<li>${where} (${hook}${bothDirections ? '' : ', one direction'})</li>`)}</ul></section>`
}

function Reasons({ title, counts }: { readonly title: string, readonly counts: Counts }): VNode {
  const rows = Object.entries(counts).toSorted(([, a], [, b]) => b - a)
  return html`<section class="card"><h2>${title}</h2>${rows.length === 0 ? html`<p class="muted">None.</p>` : html`<table><tbody>
    ${rows.map(([reason, number]) => html`<tr><td>${reason}</td><td class="count">${count(number)}</td></tr>`)}</tbody></table>`}</section>`
}

function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, number) => sum + number, 0)
}

function count(value: number): string {
  return format(value, 'count')
}
