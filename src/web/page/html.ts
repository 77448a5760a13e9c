import htm from 'htm'
import { h, type VNode } from 'preact'

/** Elements from a template: values become text and attributes, never markup. */
export const html = htm.bind(h) as (strings: TemplateStringsArray, ...values: unknown[]) => VNode
