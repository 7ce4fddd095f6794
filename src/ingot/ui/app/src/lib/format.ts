/** Numbers and dates as people read them. Cube sends numbers as text, so everything starts with `num`. */

import { parseDay, type Granularity } from './ranges'

export type Format = 'number' | 'currency' | 'percent' | 'abbr'
export type Cell = string | number | boolean | null | undefined

/** The number in a cell, or null where there is none: an empty cell is not zero. */
export function num(value: Cell): number | null {
  if (value == null || value === '' || typeof value === 'boolean') return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

export function asFormat(text: unknown): Format {
  return text === 'currency' || text === 'percent' || text === 'abbr' ? text : 'number'
}

const cache = new Map<string, Intl.NumberFormat>()
function intl(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options)
  let found = cache.get(key)
  if (!found) cache.set(key, (found = new Intl.NumberFormat('en-US', options)))
  return found
}

const currency: Intl.NumberFormatOptions = { style: 'currency', currency: 'USD' }

/** Short, for tiles, bars and axes: $1.25M, 48.3%, 12,345. A percent measure is already times 100. */
export function short(value: Cell, format: Format = 'number'): string {
  const number = num(value)
  if (number == null) return '–'
  const size = Math.abs(number)
  const digits = size >= 1e5 && size < 1e6 ? 0 : size >= 1e6 && size < 1e8 ? 2 : 1
  const compact: Intl.NumberFormatOptions = {
    notation: 'compact',
    minimumFractionDigits: format === 'currency' ? digits : 0, // amounts stand below each other
    maximumFractionDigits: digits,
  }
  if (format === 'percent') return `${intl({ maximumFractionDigits: 1 }).format(number)}%`
  if (format === 'currency') {
    const whole = size >= 1000 ? { minimumFractionDigits: 0, maximumFractionDigits: 0 } : {}
    return intl({ ...currency, ...(size >= 10_000 ? compact : whole) }).format(number)
  }
  if (size >= (format === 'abbr' ? 1000 : 1e6)) return intl(compact).format(number)
  return intl({ maximumFractionDigits: size >= 100 ? 0 : 2 }).format(number)
}

/** In full, for tables and tooltips: $1,247,318.22. */
export function full(value: Cell, format: Format = 'number'): string {
  const number = num(value)
  if (number == null) return '–'
  if (format === 'currency') return intl(currency).format(number)
  const text = intl({ maximumFractionDigits: Number.isInteger(number) ? 0 : 2 }).format(number)
  return format === 'percent' ? `${text}%` : text
}

/** The change from one number to another in percent, or null where there is nothing to compare with. */
export function change(now: number | null, before: number | null): number | null {
  if (now == null || before == null || before === 0) return null
  return ((now - before) / Math.abs(before)) * 100
}

export function percent(value: number): string {
  const size = Math.abs(value)
  const digits = size >= 100 ? 0 : 1
  return `${intl({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(size)}%`
}

/** A share of a whole (0–1) as text. */
export function share(value: number): string {
  const text = intl({ style: 'percent', maximumFractionDigits: value < 0.1 ? 1 : 0 })
  return text.format(value)
}

const dates: Record<Granularity, Intl.DateTimeFormatOptions> = {
  day: { weekday: 'short', month: 'short', day: 'numeric', year: 'numeric' },
  week: { month: 'short', day: 'numeric', year: 'numeric' },
  month: { month: 'short', year: 'numeric' },
  quarter: { month: 'short', year: 'numeric' },
  year: { year: 'numeric' },
}

/** The name of one step of a time axis: "Mar 2026", "Week of Mar 2, 2026", "Q1 2026". */
export function period(value: string | number, granularity: Granularity): string {
  const date = typeof value === 'number' ? new Date(value) : parseDay(value.slice(0, 10))
  if (Number.isNaN(date.getTime())) return String(value)
  if (granularity === 'quarter') {
    return `Q${Math.floor(date.getUTCMonth() / 3) + 1} ${date.getUTCFullYear()}`
  }
  const text = date.toLocaleDateString('en-US', { ...dates[granularity], timeZone: 'UTC' })
  return granularity === 'week' ? `Week of ${text}` : text
}

/** A value of a dimension as text; a missing one says so. */
export function text(value: Cell): string {
  if (value == null) return 'Not set'
  if (value === '') return 'Empty'
  if (value === true) return 'Yes'
  if (value === false) return 'No'
  const word = String(value)
  return /^\d{4}-\d{2}-\d{2}T00:00:00(\.000)?Z?$/.test(word) ? word.slice(0, 10) : word
}

export function bytes(value: number | null | undefined): string {
  if (value == null) return '–'
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let size = value
  let step = 0
  while (size >= 1000 && step < units.length - 1) {
    size /= 1000
    step += 1
  }
  return `${intl({ maximumFractionDigits: size < 10 && step > 0 ? 1 : 0 }).format(size)} ${units[step]}`
}

export function seconds(value: number | null | undefined): string {
  if (value == null) return '–'
  if (value < 1) return `${Math.round(value * 1000)} ms`
  if (value < 60) return `${intl({ maximumFractionDigits: 1 }).format(value)} s`
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`
}

/** How long ago an instant was, in one unit. */
export function ago(time: string | number | null | undefined, now: number = Date.now()): string {
  if (time == null || time === '') return ''
  const then = typeof time === 'number' ? (time < 1e12 ? time * 1000 : time) : Date.parse(time)
  if (Number.isNaN(then)) return String(time)
  const passed = Math.max(0, (now - then) / 1000)
  if (passed < 45) return 'just now'
  const steps: [number, string][] = [
    [60, 'min'],
    [3600, 'h'],
    [86_400, 'day'],
  ]
  const [size, unit] = steps[passed < 3600 ? 0 : passed < 86_400 ? 1 : 2] as [number, string]
  const count = Math.max(1, Math.round(passed / size))
  return `${count} ${unit}${unit === 'day' && count > 1 ? 's' : ''} ago`
}

export function instant(time: string | number | null | undefined): string {
  if (time == null || time === '') return ''
  const date = new Date(typeof time === 'number' && time < 1e12 ? time * 1000 : time)
  if (Number.isNaN(date.getTime())) return String(time)
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
