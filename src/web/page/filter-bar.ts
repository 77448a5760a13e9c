import type { VNode } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { About } from './about.ts'
import { html } from './html.ts'
import { comparedAt, completions, type Completion, type Vocabulary } from './completion.ts'
import { useFieldValues } from './field-values.ts'
import { useKeys } from './keys.ts'

export interface FilterBarOptions {
  readonly filter: string
  readonly error: string | undefined
  readonly about: About
  readonly vocabulary: Vocabulary
  readonly onFilter: (filter: string) => void
}

/** The filter: CEL, as on the command line, with what could stand at the cursor. "/" leads here, Enter asks. */
export function FilterBar({ filter, error, about, vocabulary, onFilter }: FilterBarOptions): VNode {
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(filter)
  /** Where something is offered; undefined = nowhere. */
  const [cursor, setCursor] = useState<number>()
  const [chosen, setChosen] = useState(-1)
  const compared = cursor === undefined ? undefined : comparedAt(text.slice(0, cursor))
  const values = useFieldValues(compared, about)
  const offered = useMemo(() => {
    if (cursor === undefined) return []
    return completions(text, cursor, vocabulary, compared === undefined ? undefined : { compared, values })
  }, [text, cursor, vocabulary, values])
  useEffect(() => { setText(filter) }, [filter])
  useKeys({ '/': () => { input.current?.focus() } })
  const offerAt = (next: number | undefined): void => {
    setCursor(next)
    setChosen(-1)
  }
  const take = (completion: Completion): void => {
    const element = input.current
    if (element === null) return
    const next = text.slice(0, completion.start) + completion.text + text.slice(completion.end)
    setText(next)
    offerAt(undefined)
    // The field has its new text after this is drawn.
    requestAnimationFrame(() => {
      element.focus()
      element.setSelectionRange(completion.start + completion.text.length, completion.start + completion.text.length)
    })
  }
  const typed = (event: Event): void => {
    const element = event.currentTarget as HTMLInputElement
    setText(element.value)
    offerAt(element.selectionStart ?? element.value.length)
  }
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (offered.length === 0) return
      event.preventDefault()
      setChosen((chosen + (event.key === 'ArrowDown' ? 1 : offered.length) + (chosen === -1 && event.key === 'ArrowUp' ? 1 : 0)) % offered.length)
    } else if (event.key === 'Escape') {
      if (offered.length > 0) offerAt(undefined)
      else input.current?.blur()
    } else if ((event.key === 'Enter' || event.key === 'Tab') && offered[chosen] !== undefined) {
      event.preventDefault()
      take(offered[chosen])
    }
  }
  const submit = (event: Event): void => {
    event.preventDefault()
    offerAt(undefined)
    onFilter(text.trim())
  }
  return html`<form class="filter" role="search" onSubmit=${submit}>
    <label for="filter">Filter</label>
    <div class="field"><input id="filter" ref=${input} value=${text} onInput=${typed} onKeyDown=${pressed}
      onBlur=${() => { offerAt(undefined) }} role="combobox" aria-expanded=${String(offered.length > 0)} aria-controls="filter-offers"
      aria-autocomplete="list" aria-invalid=${String(error !== undefined)}
      aria-activedescendant=${chosen >= 0 ? `offer-${chosen}` : undefined}
      autocomplete="off" spellcheck=${false} maxlength="4096" placeholder="CEL, e.g. http.response.status_code >= 500 && duration > 0.5" />
      <ul id="filter-offers" role="listbox" aria-label="Completions" hidden=${offered.length === 0}>${offered.map((completion, index) =>
        html`<li id=${`offer-${index}`} role="option" aria-selected=${String(index === chosen)} onMouseDown=${(event: Event) => {
          event.preventDefault()
          take(completion)
        }}><code>${completion.text}</code> <span class="muted">${completion.doc}</span></li>`)}</ul></div>
    <button>Ask</button>${filter === '' ? null : html`<button type="button" onClick=${() => { onFilter('') }}>Clear</button>`}
    ${error === undefined ? null : html`<pre class="error" role="alert">${error}</pre>`}
  </form>`
}
