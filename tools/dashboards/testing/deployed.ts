import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard'

export interface DeployedPanel {
  readonly id: number
  readonly title: string
  readonly gridPos: NonNullable<Panel['gridPos']>
  /** PromQL, LogQL or SQL, with Grafana's variables in it. */
  readonly queries: readonly string[]
}

function read(name: string): Dashboard {
  return JSON.parse(readFileSync(fileURLToPath(new URL(`../../../deploy/grafana/lintel-${name}.json`, import.meta.url)), 'utf8')) as Dashboard
}

/** Panels of a dashboard of deploy/grafana, rows among them. */
export function panelsOf(name: string): DeployedPanel[] {
  return (read(name).panels ?? []).map(panel => {
    const targets = (panel as Panel).targets as readonly { readonly expr?: string, readonly rawSql?: string }[] | undefined
    const { id = 0, title = '', gridPos } = panel
    if (gridPos === undefined) throw new Error(`${title} has no place`)
    return { id, title, gridPos, queries: (targets ?? []).map(({ expr, rawSql }) => expr ?? rawSql ?? '') }
  })
}

export function variablesOf(name: string): string[] {
  return (read(name).templating?.list ?? []).map(variable => variable.name)
}
