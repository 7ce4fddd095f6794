/** From the rows of an answer to the series that charts draw. */

import type { Row } from './api'
import { num, text, type Cell } from './format'
import { add, buckets, parseDay, startOf, today, type Granularity, type Range } from './ranges'

export interface Series {
  name: string
  key: string
  values: (number | null)[]
}

export interface Course {
  /** First days of the steps. */
  steps: string[]
  series: Series[]
}

export function timeKey(row: Row | undefined, dimension: string, granularity: string): string {
  return row && `${dimension}.${granularity}` in row ? `${dimension}.${granularity}` : dimension
}

interface Shape {
  dimension: string
  granularity: Granularity
  range: Range | string | null
  measures: { name: string; title: string; additive: boolean }[]
  by?: string
}

/** One series for each measure, or for each value of `by`; steps without rows are filled. */
export function course(rows: Row[], shape: Shape): Course {
  const time = timeKey(rows[0], shape.dimension, shape.granularity)
  const seen = rows.map((row) => String(row[time] ?? '').slice(0, 10)).filter((day) => day !== '')
  const steps = axis(seen, shape)
  const at = new Map(steps.map((step, index) => [step, index]))
  const series = new Map<string, Series>()
  const open = (key: string, name: string, additive: boolean) => {
    let one = series.get(key)
    if (!one) {
      one = { key, name, values: steps.map(() => (additive ? 0 : null)) }
      series.set(key, one)
    }
    return one
  }
  const [first] = shape.measures
  if (!shape.by) for (const m of shape.measures) open(m.name, m.title, m.additive)
  for (const row of rows) {
    const index = at.get(String(row[time] ?? '').slice(0, 10))
    if (index === undefined) continue
    if (shape.by && first) {
      const value = row[shape.by]
      open(JSON.stringify(value ?? null), text(value), first.additive).values[index] = num(row[first.name])
    } else {
      for (const m of shape.measures) open(m.name, m.title, m.additive).values[index] = num(row[m.name])
    }
  }
  return { steps, series: [...series.values()] }
}

function axis(seen: string[], { range, granularity }: Shape): string[] {
  if (!seen.length) return []
  const sorted = [...new Set(seen)].sort()
  const [first, last] = [sorted[0] as string, sorted.at(-1) as string]
  if (range && typeof range !== 'string') {
    const now = today() // what has not come yet is not zero
    const end = range.to <= now ? range.to : last > now ? last : now
    return buckets(range.from, end, granularity)
  }
  return buckets(first, last, granularity)
}

/** Whether the last step of an axis is not over when the range ends. */
export function partial(steps: string[], granularity: Granularity, range: Range | string | null): boolean {
  const last = steps.at(-1)
  if (!last || !range || typeof range === 'string') return false
  return add(startOf(last, granularity), 1, granularity) > add(range.to, 1, 'day')
}

export function total(values: (number | null)[]): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0)
}

export function millis(step: string): number {
  return parseDay(step).getTime()
}

/** Rows in the order of a column: numbers as numbers, missing values last. */
export function sortRows(rows: Row[], column: string, numeric: boolean, descending: boolean): Row[] {
  const sign = descending ? -1 : 1
  return [...rows].sort((a, b) => compare(a[column], b[column], numeric, sign))
}

function compare(a: Cell, b: Cell, numeric: boolean, sign: number): number {
  if (numeric) {
    const [x, y] = [num(a), num(b)]
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1
    return (x - y) * sign
  }
  if (a == null || b == null) return a == b ? 0 : a == null ? 1 : -1
  return String(a).localeCompare(String(b), 'en', { numeric: true }) * sign
}
