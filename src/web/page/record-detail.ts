import type { VNode } from 'preact'
import { seconds } from './format.ts'
import { html } from './html.ts'
import { addressOf, clock, type Headers, keyOf, type LogRecord, plainFields, statusClass, target, verb } from './log-record.ts'
import { linkTo } from './place.ts'

export interface RecordDetailOptions {
  readonly record: LogRecord
  /** Others of its connection, in order; it may be among them. */
  readonly neighbours: readonly LogRecord[]
  /** Records of its trace, in order. */
  readonly trace?: readonly LogRecord[]
  readonly hasStore: boolean
}

/** Sections of fields, each with the names that belong to it; the first that fits has a field. */
const SECTIONS: readonly (readonly [title: string, names: RegExp])[] = [
  ['TLS', /^tls\./], ['Processes', /^(client|server)\.(process|container|k8s|systemd)\./],
  ['Connection', /^(client|server|source|destination|network|tcp|ip|link|tunnel|proxy|connection|icmp)\./], ['Trace', /^(trace|span|request)\./],
  ['Message', /^(http|http2|url|rpc|websocket|message|user_agent)\./], ['Record', /./],
]

const LONG = 2000

/** One record with all that is known of it. Every value is text. */
export function RecordDetail({ record, neighbours, trace, hasStore }: RecordDetailOptions): VNode {
  const { http } = record
  const status = http?.response?.status_code
  return html`<article class="detail" aria-label="Record">
    <h2><span class=${statusClass(record)}>${status ?? record.kind ?? ''}</span> ${verb(record)} ${record.url?.domain ?? ''}${target(record)}</h2>
    <p class="muted">${record.time ?? ''} ${hasStore && location.pathname !== '/exchange'
      ? html`<a href=${linkTo('/exchange', addressOf(record))}>link to this record</a>` : null}</p>
    <${Timing} record=${record} />
    <div class="columns">
      <${HeaderTable} title="Request headers" headers=${http?.request?.header} />
      <${HeaderTable} title="Response headers" headers=${http?.response?.header} />
      <${HeaderTable} title="Request trailers" headers=${http?.request?.trailer} />
      <${HeaderTable} title="Response trailers" headers=${http?.response?.trailer} />
      <${HeaderTable} title="Interim response headers" headers=${http?.response?.interim_header} />
    </div>
    <${Others} title="On the same connection" record=${record} others=${neighbours} hasStore=${hasStore} />
    <${Others} title="In the same trace" record=${record} others=${trace ?? []} hasStore=${hasStore} />
    <div class="columns"><${Sections} record=${record} /></div>
  </article>`
}

function Timing({ record }: { readonly record: LogRecord }): VNode | null {
  const { duration, time_to_first_byte: first, tcp } = record
  if (duration === undefined) return null
  const parts = [
    ...(tcp?.handshake_duration === undefined ? [] : [{ name: 'TCP handshake, before', value: tcp.handshake_duration, kind: 'connect' }]),
    { name: first === undefined ? 'whole' : 'to the first byte of the answer', value: first ?? duration, kind: 'wait' },
    ...(first === undefined ? [] : [{ name: 'rest of the answer', value: Math.max(0, duration - first), kind: 'receive' }]),
  ]
  const whole = parts.reduce((sum, { value }) => sum + value, 0)
  return html`<section class="timing"><h3>Timing: ${seconds(duration)}</h3>
    <div class="bar" role="img" aria-label=${parts.map(({ name, value }) => `${name} ${seconds(value)}`).join(', ')}>
      ${parts.map(({ value, kind }) => html`<span class=${kind} style=${{ flexGrow: String(whole === 0 ? 1 : value / whole) }}></span>`)}</div>
    <ul>${parts.map(({ name, value, kind }) => html`<li><span class=${`dot ${kind}`}></span>${name}: ${seconds(value)}</li>`)}</ul></section>`
}

function HeaderTable({ title, headers }: { readonly title: string, readonly headers: Headers | undefined }): VNode | null {
  if (headers === undefined) return null
  const lines = Object.entries(headers).flatMap(([name, values]) => values.map(value => [name, value] as const))
  return html`<section><h3>${title} (${lines.length})</h3><table class="pairs"><tbody>
    ${lines.map(([name, value]) => html`<tr><th scope="row">${name}</th><td><${Text} name=${name} text=${value} /></td></tr>`)}
  </tbody></table></section>`
}

/** A text; a long one in a box of its own. */
function Text({ name, text }: { readonly name: string, readonly text: string }): VNode {
  if (text.length < LONG) return html`${text}`
  return html`<div class="long" tabindex="0" role="region" aria-label=${`${name}, ${text.length} letters`}>${text}</div>`
}

interface OthersOptions {
  readonly title: string
  readonly record: LogRecord
  /** The record is among them. */
  readonly others: readonly LogRecord[]
  readonly hasStore: boolean
}

function Others({ title, record, others, hasStore }: OthersOptions): VNode | null {
  if (others.length < 2) return null
  const own = keyOf(record)
  return html`<section><h3>${title} (${others.length})</h3><ol class="neighbours">${others.map(other => {
    const took = other.duration === undefined ? '' : seconds(other.duration)
    const text = `${clock(other)} ${verb(other)} ${target(other)} ${other.http?.response?.status_code ?? ''} ${took}`
    if (keyOf(other) === own) return html`<li aria-current="true"><strong>${text}</strong></li>`
    return html`<li>${hasStore ? html`<a href=${linkTo('/exchange', addressOf(other))}>${text}</a>` : text}</li>`
  })}</ol></section>`
}

function Sections({ record }: { readonly record: LogRecord }): VNode {
  const fields = plainFields(record)
  const titled = SECTIONS.map(([title]) => ({
    title, fields: fields.filter(([name]) => SECTIONS.find(([, names]) => names.test(name))?.[0] === title),
  })).filter(section => section.fields.length > 0)
  return html`${titled.map(section => html`<section><h3>${section.title}</h3><table class="pairs"><tbody>
    ${section.fields.map(([name, value]) => html`<tr><th scope="row">${name}</th>
      <td><${Text} name=${name} text=${typeof value === 'string' ? value : JSON.stringify(value)} /></td></tr>`)}
  </tbody></table></section>`)}`
}
