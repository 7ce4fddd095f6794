/**
 * Vega-Lite specifications of the charts. The same functions draw on the screen and into a PNG; they
 * know colours only as a palette, so a theme is a value.
 */

import type { TopLevelSpec } from 'vega-lite'
import type { Format } from './format'
import type { Granularity } from './ranges'
import { millis, type Course } from './rows'

export interface Palette {
  text: string
  muted: string
  grid: string
  surface: string
  series: string[]
  font: string
}

/** The part around the plot: only a picture that leaves the page carries its own title and legend. */
export interface Frame {
  width: number
  height: number
  title?: string
  subtitle?: string
  legend?: boolean
}

export interface TrendOptions {
  chart: 'area' | 'line' | 'bar'
  format: Format
  granularity: Granularity
  fromZero: boolean
  palette: Palette
  /** The same steps of the period before, drawn faintly behind a single line. */
  before?: (number | null)[]
}

type Part = Record<string, unknown>

export function trendSpec(course: Course, options: TrendOptions, frame: Frame): TopLevelSpec {
  const { chart, palette } = options
  const colors = palette.series
  const names = course.series.map((one) => one.name)
  const long = course.series.flatMap((one, s) =>
    course.steps.map((step, i) => ({ t: millis(step), s, name: one.name, v: one.values[i] })),
  )
  const wide = course.steps.map((step) => ({ t: millis(step) }))
  const single = course.series.length === 1
  const color = single
    ? { value: colors[0] }
    : {
        field: 'name',
        type: 'nominal',
        scale: { domain: names, range: colors },
        legend: frame.legend ? { orient: 'top', title: null, symbolType: 'circle' } : null,
      }
  const x = timeAxis(course, options, frame)
  const y = {
    field: 'v',
    type: 'quantitative',
    stack: chart === 'bar' ? 'zero' : null,
    scale: { zero: options.fromZero || chart !== 'line', nice: true },
    axis: valueAxis(options.format, extent([...long.map((row) => row.v), ...(options.before ?? [])])),
  }
  const shared = { x, y, color, order: { field: 's', type: 'quantitative' } }
  const under: Part[] = []
  if (chart === 'bar') {
    under.push({
      data: { values: long },
      mark: { type: 'bar', cornerRadiusEnd: single ? 3 : 0, width: { band: 0.72 } },
      encoding: { ...shared, opacity: lit(0.75) },
    })
  } else {
    if (chart === 'area' && single) {
      under.push({
        data: { values: long },
        mark: {
          type: 'area',
          interpolate: 'monotone',
          line: false,
          color: {
            x1: 0, y1: 0, x2: 0, y2: 1, gradient: 'linear',
            stops: [
              { offset: 0, color: alpha(colors[0], 0.24) },
              { offset: 1, color: alpha(colors[0], 0.02) },
            ],
          },
        },
        encoding: { x, y },
      })
    }
    if (options.before?.some((value) => value !== null)) {
      under.push({
        data: { values: course.steps.map((step, i) => ({ t: millis(step), v: options.before?.[i] ?? null })) },
        mark: { type: 'line', interpolate: 'monotone', strokeWidth: 1.5, strokeDash: [2, 5], strokeCap: 'round', color: palette.muted, opacity: 0.8 },
        encoding: { x, y },
      })
    }
    under.push({
      data: { values: long },
      mark: { type: 'line', interpolate: 'monotone', strokeWidth: 2, strokeCap: 'round', strokeJoin: 'round' },
      encoding: shared,
    })
  }
  const hover = {
    data: { values: wide },
    params: [
      {
        name: 'hover',
        select: { type: 'point', encodings: ['x'], nearest: true, on: 'pointermove', clear: 'pointerout' },
      },
    ],
    mark: { type: 'rule', color: palette.muted, strokeWidth: 1 },
    encoding: {
      x,
      opacity: { condition: { param: 'hover', empty: false, value: chart === 'bar' ? 0 : 0.6 }, value: 0 },
      tooltip: { field: 't', type: 'nominal' },
    },
  }
  const dots = {
    data: { values: long },
    transform: [{ filter: { param: 'hover', empty: false } }, { filter: 'isValid(datum.v)' }],
    mark: { type: 'point', filled: true, size: 56, opacity: 1, stroke: palette.surface, strokeWidth: 1.5 },
    encoding: { x, y, color },
  }
  return framed({ layer: chart === 'bar' ? [...under, hover] : [...under, hover, dots] }, frame, palette)
}

export interface Share {
  key: string
  name: string
  value: number
  /** The second dimension, where there is one. */
  part?: string
  chosen: boolean
}

export interface BreakdownOptions {
  chart: 'bar' | 'column' | 'donut'
  format: Format
  measure: string
  palette: Palette
  /** Whether some bars are chosen, so that the others step back. */
  filtered: boolean
}

export function breakdownSpec(shares: Share[], options: BreakdownOptions, frame: Frame): TopLevelSpec {
  const { palette, chart } = options
  const names = [...new Set(shares.map((one) => one.name))]
  const parts = [...new Set(shares.flatMap((one) => (one.part === undefined ? [] : [one.part])))]
  const legend = { title: null, symbolType: 'circle', orient: chart === 'donut' ? 'right' : 'top' }
  const color = parts.length
    ? { field: 'part', type: 'nominal', scale: { domain: parts, range: palette.series }, legend: frame.legend ? legend : null }
    : chart === 'donut'
      ? { field: 'name', type: 'nominal', scale: { domain: names, range: palette.series }, legend: frame.legend ? legend : null }
      : { value: palette.series[0] }
  const opacity = options.filtered ? { condition: { test: 'datum.chosen', value: 1 }, value: 0.3 } : { value: 1 }
  const tooltip = { field: 'index', type: 'nominal' }
  const data = { values: shares.map((one, index) => ({ ...one, index })) }
  const numbers = { field: 'value', type: 'quantitative', axis: valueAxis(options.format, extent(shares.map((s) => s.value))) }
  if (chart === 'donut') {
    const outer = Math.min(frame.width, frame.height) / 2 - 4
    return framed(
      {
        data,
        mark: { type: 'arc', innerRadius: outer * 0.62, outerRadius: outer, padAngle: 0.012, cornerRadius: 2, cursor: 'pointer' },
        encoding: { theta: { field: 'value', type: 'quantitative', stack: true }, order: { field: 'index' }, color, opacity, tooltip },
      },
      frame,
      palette,
    )
  }
  const labels = { field: 'name', type: 'nominal', sort: names }
  const across = chart === 'bar'
  const mark = { type: 'bar', cornerRadiusEnd: parts.length ? 0 : 3, cursor: 'pointer' }
  const band = {
    ...labels,
    scale: { paddingInner: 0.3, paddingOuter: 0.1 },
    axis: { title: null, domain: false, ticks: false, grid: false, labelLimit: across ? 160 : 90, labelAngle: 0, labelPadding: 8, labelOverlap: true },
  }
  return framed(
    { data, mark, encoding: { [across ? 'y' : 'x']: band, [across ? 'x' : 'y']: numbers, color, opacity, tooltip, order: { field: 'index' } } },
    frame,
    palette,
  )
}

/** Ticks on a time axis: few enough to read, on round months, the year named where it begins. */
export function ticks(steps: string[], granularity: Granularity, width: number): number[] {
  const room = Math.max(2, Math.floor(width / (granularity === 'month' ? 46 : 72)))
  if (granularity === 'month') {
    const every = [1, 2, 3, 6, 12, 24, 60].find((k) => steps.length / k <= room) ?? 120
    const months = (step: string) => Number(step.slice(0, 4)) * 12 + Number(step.slice(5, 7)) - 1
    return steps.filter((step) => months(step) % every === 0).map(millis)
  }
  const every = Math.ceil(steps.length / room)
  return steps.filter((_, index) => (steps.length - 1 - index) % every === 0).map(millis)
}

function timeAxis(course: Course, { granularity, chart }: TrendOptions, frame: Frame): Part {
  const second = "(datum.index === 0 || utcmonth(datum.value) === 0) ? utcFormat(datum.value, '%Y') : ''"
  const labels: Record<Granularity, string> = {
    day: "utcFormat(datum.value, '%b %-d')",
    week: "utcFormat(datum.value, '%b %-d')",
    month: `[utcFormat(datum.value, '%b'), ${second}]`,
    quarter: "'Q' + utcquarter(datum.value) + ' ' + utcFormat(datum.value, '%Y')",
    year: "utcFormat(datum.value, '%Y')",
  }
  const times = course.steps.map(millis)
  const bars = chart === 'bar'
  return {
    field: 't',
    type: bars ? 'ordinal' : 'temporal',
    scale: bars
      ? { domain: times, paddingInner: 0.28, paddingOuter: 0.14 }
      : { type: 'utc' },
    axis: {
      title: null,
      grid: false,
      ticks: false,
      domain: false,
      labelPadding: 10,
      labelAngle: 0,
      labelFlush: !bars,
      // As an expression: Vega-Lite would wrap each number in `datetime()`, which the interpreter reads as a year.
      values: { expr: JSON.stringify(ticks(course.steps, granularity, frame.width - 56)) },
      labelExpr: labels[granularity],
      labelOverlap: 'greedy',
    },
  }
}

function valueAxis(format: Format, [low, high]: [number, number]): Part {
  const size = Math.max(Math.abs(low), Math.abs(high))
  const sign = format === 'currency' ? '$' : ''
  const digits = size >= 1000 ? `${sign}~s` : `${sign},.2~f`
  const si = `replace(replace(format(datum.value, '${digits}'), 'G', 'B'), 'k', 'K')`
  return {
    title: null,
    domain: false,
    ticks: false,
    tickCount: 4,
    labelPadding: 8,
    gridWidth: 1,
    labelExpr: format === 'percent' ? `format(datum.value, ',.2~f') + '%'` : size >= 1000 ? si : `format(datum.value, '${digits}')`,
  }
}

function extent(values: (number | null | undefined)[]): [number, number] {
  let [low, high] = [0, 0]
  for (const value of values) {
    if (value == null) continue
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return [low, high]
}

function lit(rest: number): Part {
  return { condition: { param: 'hover', empty: true, value: 1 }, value: rest }
}

function alpha(color: string | undefined, opacity: number): string {
  const hex = /^#([0-9a-f]{6})$/i.exec(color ?? '')?.[1]
  if (!hex) return color ?? 'transparent'
  const [r, g, b] = [0, 2, 4].map((i) => Number.parseInt(hex.slice(i, i + 2), 16))
  return `rgba(${r},${g},${b},${opacity})`
}

function framed(body: Part, frame: Frame, palette: Palette): TopLevelSpec {
  const title = frame.title
    ? {
        title: {
          text: frame.title,
          subtitle: frame.subtitle ? [frame.subtitle] : [],
          anchor: 'start', offset: 16,
          fontSize: 15, fontWeight: 600, subtitleFontSize: 12, subtitlePadding: 6,
          color: palette.text, subtitleColor: palette.muted,
        },
      }
    : {}
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    ...title,
    width: frame.width,
    height: frame.height,
    autosize: { type: 'fit', contains: 'padding' },
    background: frame.title ? palette.surface : 'transparent',
    padding: frame.title ? 20 : { left: 0, right: 6, top: 8, bottom: 0 },
    config: {
      font: palette.font,
      view: { stroke: null },
      axis: {
        labelColor: palette.muted,
        labelFontSize: 11.5,
        labelLineHeight: 15,
        gridColor: palette.grid,
      },
      legend: { labelColor: palette.text, labelFontSize: 12 },
    },
    ...body,
  } as unknown as TopLevelSpec
}
