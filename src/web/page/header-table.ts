import type { VNode } from 'preact'
import { useMemo } from 'preact/hooks'
import type { About, ViewAbout } from './about.ts'
import { html } from './html.ts'
import { go, linkTo } from './place.ts'
import { ViewTable } from './view-table.ts'

/** What is grouped: the view by a header, the path of the page, a view with the same columns behind its key columns. */
export interface HeaderGroups {
  readonly name: string
  readonly path: string
  readonly like: string
  readonly keys: number
}

export interface HeaderTableOptions {
  readonly about: About
  readonly groups: HeaderGroups
  readonly question: string
  readonly filter: string
  /** The header's name; empty = none is chosen. */
  readonly header: string
  readonly known: readonly string[]
}

const ROWS = 50

/** Exchanges by the value of a header: by tenant, by API key, by whatever a gateway writes into one. */
export function HeaderTable({ about, groups, question, filter, header, known }: HeaderTableOptions): VNode {
  const view = useMemo(() => viewOf(about, groups, header), [about, groups, header])
  const chosen = (event: Event): void => {
    event.preventDefault()
    const input = (event.currentTarget as HTMLFormElement).elements.namedItem('header') as HTMLInputElement
    go(linkTo(groups.path, { header: input.value.trim().toLowerCase() }))
  }
  return html`<form class="bar-line" onSubmit=${chosen}><label for="header">Group by the request header</label>
      <input id="header" name="header" list="headers" defaultValue=${header} key=${header} placeholder="x-tenant-id" autocomplete="off"
        maxlength="256" />
      <datalist id="headers">${known.map(name => html`<option value=${name}></option>`)}</datalist><button>Group</button></form>
    ${view === undefined ? null : html`<${ViewTable} key=${header} view=${view} question=${question} filter=${filter} rows=${ROWS} isWide=${true}
      more=${`&header=${encodeURIComponent(header)}`} />`}`
}

function viewOf(about: About, { name, like: other, keys }: HeaderGroups, header: string): ViewAbout | undefined {
  const like = about.views.find(view => view.name === other)
  if (header === '' || like === undefined) return undefined
  const shared = like.columns.slice(keys)
  const field = `http.request.header[${JSON.stringify(header)}]`
  return { name, title: `By ${header}`, columns: [{ title: header, unit: 'text' }, ...shared], narrow: `${field}[0] == %` }
}
