import { useEffect, useRef } from 'preact/hooks'
import type { VNode } from 'preact'
import uPlot from 'uplot'
import { time } from './format.ts'
import { html } from './html.ts'
import { useTheme } from './theme.ts'

export interface ChartLine {
  readonly title: string
  /** A colour of page.css, without the two dashes. */
  readonly colour: string
  readonly values: readonly (number | null)[]
  readonly isDashed?: boolean
}

export interface ChartOptions {
  readonly title: string
  /** Milliseconds since 1970. */
  readonly times: readonly number[]
  readonly lines: readonly ChartLine[]
  readonly show: (value: number) => string
  /** The lines stand on each other. */
  readonly isStacked?: boolean
  /** A span was drawn with the mouse. */
  readonly onSelect: (fromMs: number, toMs: number) => void
}

const HEIGHT = 200
const DAY_S = 86_400
/** `0.40` and `50.0 ms` are `0.4` and `50 ms` on an axis. */
const TRAILING_ZEROS = /(?:\.0+|(\.\d*?[1-9])0+)(?=$| )/

/** A chart over time. Its figures stand in the legend, and in the CSV of its view. */
export function Chart(options: ChartOptions): VNode {
  const place = useRef<HTMLDivElement>(null)
  const theme = useTheme()
  const { times, lines, isStacked, title } = options
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const plot = new uPlot(plotOptions(options, element), plotData(times, lines, isStacked === true), element)
    const resize = new ResizeObserver(() => { plot.setSize({ width: element.clientWidth, height: HEIGHT }) })
    resize.observe(element)
    return () => {
      resize.disconnect()
      plot.destroy()
    }
  }, [times, lines, isStacked, theme])
  const isEmpty = lines.every(({ values }) => values.every(value => value === null || value === 0))
  return html`<section class=${isEmpty ? 'card empty' : 'card'}><h2>${title}</h2><div class="chart" ref=${place} role="img" aria-label=${title}></div>
    ${isEmpty ? html`<p class="muted">Nothing in this range.</p>` : null}</section>`
}

/** `14:03`, `14:03:30` where ticks are closer than a minute; the day stands where another one begins. */
function timeTick(tick: number, before: number | undefined, stepS: number): string {
  const [day, clock] = time(tick * 1000).split(' ') as [string, string]
  const isNewDay = before === undefined || !time(before * 1000).startsWith(day)
  return `${stepS >= DAY_S ? '' : clock.slice(0, stepS < 60 ? 8 : 5)}${isNewDay || stepS >= DAY_S ? `\n${day}` : ''}`.trim()
}

function plotData(times: readonly number[], lines: readonly ChartLine[], isStacked: boolean): uPlot.AlignedData {
  const sums = times.map(() => 0)
  const stacked = (line: ChartLine): number[] => line.values.map((value, index) => sums[index] = (sums[index] as number) + (value ?? 0))
  const values = lines.map(line => isStacked ? stacked(line) : [...line.values])
  // The highest sum is drawn first, so that those below it show.
  return [times.map(at => at / 1000), ...(isStacked ? values.reverse() : values)]
}

function plotOptions({ times, lines, show, isStacked, onSelect }: ChartOptions, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  const axis = { stroke: colour('muted'), grid: { stroke: colour('line'), width: 1 }, ticks: { stroke: colour('line'), width: 1 } }
  const drawn = isStacked === true ? lines.toReversed() : lines
  return {
    width: Math.max(100, element.clientWidth), height: HEIGHT,
    cursor: { drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: true } },
    axes: [
      { ...axis, space: 80, values: (_, ticks, __, ___, stepS) => ticks.map((tick, index) => timeTick(tick, ticks[index - 1], stepS)) },
      { ...axis, size: 70, values: (_, ticks) => ticks.map(tick => show(tick).replace(TRAILING_ZEROS, '$1')) },
    ],
    series: [{ label: 'Time', value: (_: uPlot, at: number | null) => at === null ? '' : time(at * 1000) }, ...drawn.map(line => ({
      label: line.title, stroke: colour(line.colour), width: 1.5, ...(line.isDashed === true ? { dash: [4, 4] } : {}),
      ...(isStacked === true ? { fill: colour(line.colour) } : {}), points: { show: times.length < 3 },
      // Of a stack the line's own value, not the sum.
      value: (_: uPlot, __: number | null, ___: number, index: number | null) => {
        const value = index === null ? undefined : line.values[index]
        if (index === null) return ''
        return value === null || value === undefined ? '–' : show(value)
      },
    }))],
    hooks: {
      setSelect: [plot => {
        if (plot.select.width < 5) return
        const [from, to] = [plot.select.left, plot.select.left + plot.select.width].map(left => Math.round(plot.posToVal(left, 'x') * 1000))
        if (from !== undefined && to !== undefined && from < to) onSelect(from, to)
      }],
    },
  }
}
