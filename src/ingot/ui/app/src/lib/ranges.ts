/**
 * Date ranges: from words ("last 12 months") to days, and from days to the period before.
 *
 * The words mean what they mean to Cube: "last 12 months" are the twelve whole months before this one,
 * "last 7 days" end yesterday, weeks start on Monday. Days are `YYYY-MM-DD` in UTC, both ends included.
 */

export type Unit = 'day' | 'week' | 'month' | 'quarter' | 'year'
export type Granularity = Unit

export interface Range {
  from: string
  to: string
  /** How the period before is found: so many units back. */
  unit: Unit
  count: number
}

export interface Preset {
  slug: string
  label: string
}

export const PRESETS: Preset[][] = [
  [
    { slug: 'last-7-days', label: 'Last 7 days' },
    { slug: 'last-30-days', label: 'Last 30 days' },
    { slug: 'last-90-days', label: 'Last 90 days' },
  ],
  [
    { slug: 'last-3-months', label: 'Last 3 months' },
    { slug: 'last-6-months', label: 'Last 6 months' },
    { slug: 'last-12-months', label: 'Last 12 months' },
  ],
  [
    { slug: 'month-to-date', label: 'Month to date' },
    { slug: 'quarter-to-date', label: 'Quarter to date' },
    { slug: 'year-to-date', label: 'Year to date' },
    { slug: 'last-year', label: 'Last year' },
    { slug: 'all', label: 'All time' },
  ],
]

const DAY = 86_400_000

export function parseDay(day: string): Date {
  return new Date(`${day}T00:00:00Z`)
}

export function formatDay(date: Date): string {
  return date.toISOString().slice(0, 10)
}

export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const date = parseDay(text)
  return !Number.isNaN(date.getTime()) && formatDay(date) === text
}

export function today(now: Date = new Date()): string {
  return formatDay(now)
}

/** The number of days of a range, both ends counted. */
export function days(from: string, to: string): number {
  return Math.round((parseDay(to).getTime() - parseDay(from).getTime()) / DAY) + 1
}

/** The first day of the unit that holds `day`. */
export function startOf(day: string, unit: Unit): string {
  const date = parseDay(day)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  switch (unit) {
    case 'day':
      return day
    case 'week':
      return add(day, -((date.getUTCDay() + 6) % 7), 'day')
    case 'month':
      return formatDay(new Date(Date.UTC(year, month, 1)))
    case 'quarter':
      return formatDay(new Date(Date.UTC(year, month - (month % 3), 1)))
    case 'year':
      return formatDay(new Date(Date.UTC(year, 0, 1)))
  }
}

/** `day` moved by whole units; the 31st becomes the last day of a shorter month. */
export function add(day: string, count: number, unit: Unit): string {
  const date = parseDay(day)
  if (unit === 'day' || unit === 'week') {
    return formatDay(new Date(date.getTime() + count * (unit === 'week' ? 7 : 1) * DAY))
  }
  const months = count * { month: 1, quarter: 3, year: 12 }[unit]
  const first = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1))
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate()
  first.setUTCDate(Math.min(date.getUTCDate(), last))
  return formatDay(first)
}

function endOf(day: string, unit: Unit): string {
  return add(add(startOf(day, unit), 1, unit), -1, 'day')
}

/** The slug of a range in words or of a pair of days: what stands in the address. */
export function slug(range: string | readonly string[] | null | undefined): string {
  if (range == null) return 'all'
  if (typeof range !== 'string') {
    const [from = '', to = from] = range
    return `${from.slice(0, 10)}..${to.slice(0, 10)}`
  }
  return range.trim().toLowerCase().replace(/\s+/g, '-')
}

/** The days that a slug means, `null` for all time, `undefined` where it means nothing known. */
export function resolve(text: string, now: string = today()): Range | null | undefined {
  if (text === 'all' || text === 'all-time') return null
  const custom = /^(.+?)\.\.(.+)$/.exec(text)
  if (custom) {
    const [from = '', to = ''] = custom.slice(1)
    if (!isDay(from) || !isDay(to) || from > to) return undefined
    return between(from, to)
  }
  if (text === 'today') return { from: now, to: now, unit: 'day', count: 1 }
  if (text === 'yesterday') {
    const day = add(now, -1, 'day')
    return { from: day, to: day, unit: 'day', count: 1 }
  }
  const toDate = /^(week|month|quarter|year)-to-date$/.exec(text)
  if (toDate) {
    const unit = toDate[1] as Unit
    return { from: startOf(now, unit), to: now, unit, count: 1 }
  }
  const relative = /^(last|this|next)(?:-(\d{1,4}))?-(day|week|month|quarter|year)s?$/.exec(text)
  if (!relative) return undefined
  const unit = relative[3] as Unit
  const count = Number(relative[2] ?? 1)
  if (count < 1) return undefined
  const first = { last: -count, this: 0, next: 1 }[relative[1] as 'last' | 'this' | 'next']
  const last = { last: -1, this: count - 1, next: count }[relative[1] as 'last' | 'this' | 'next']
  return {
    from: startOf(add(now, first, unit), unit),
    to: endOf(add(now, last, unit), unit),
    unit,
    count,
  }
}

/** A range between two days; whole months stay whole months when they are compared. */
export function between(from: string, to: string): Range {
  if (from === startOf(from, 'month') && to === endOf(to, 'month')) {
    const [a, b] = [parseDay(from), parseDay(to)]
    const count =
      (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth() + 1
    return { from, to, unit: 'month', count }
  }
  return { from, to, unit: 'day', count: days(from, to) }
}

/** The period of equal length before: the same part of it, where the range is not over yet. */
export function previous(range: Range): Range {
  const { unit, count } = range
  const from = add(range.from, -count, unit)
  const whole = range.to === endOf(range.to, unit)
  const limit = add(range.from, -1, 'day')
  const to = whole ? limit : add(from, days(range.from, range.to) - 1, 'day')
  return { from, to: to < limit ? to : limit, unit, count }
}

/** How fine a time axis is when nobody said: at most 31 days, 26 weeks, else months. */
export function autoGranularity(range: Range | null): Granularity {
  if (!range) return 'month'
  const length = days(range.from, range.to)
  if (length <= 31) return 'day'
  return length <= 26 * 7 ? 'week' : 'month'
}

/** The first days of all units that touch the range, so that a gap in the data is seen as a gap. */
export function buckets(from: string, to: string, unit: Unit): string[] {
  const found: string[] = []
  for (let day = startOf(from, unit); day <= to && found.length < 5000; day = add(day, 1, unit)) {
    found.push(day)
  }
  return found
}

/** What a slug is called on the page. */
export function label(text: string, now: string = today()): string {
  const preset = PRESETS.flat().find((p) => p.slug === text)
  if (preset) return preset.label
  const range = resolve(text, now)
  if (range && text.includes('..')) return spell(range)
  const words = text.replace(/-/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const MONTH = new Intl.DateTimeFormat('en-US', { month: 'short', timeZone: 'UTC' })

/** A range as a person would write it: "Mar 3 – 9, 2026", "Nov 2024 – Oct 2025". */
export function spell({ from, to }: { from: string; to: string }): string {
  const [a, b] = [parseDay(from), parseDay(to)]
  const [ya, yb] = [a.getUTCFullYear(), b.getUTCFullYear()]
  const [ma, mb] = [MONTH.format(a), MONTH.format(b)]
  if (from === startOf(from, 'month') && to === endOf(to, 'month')) {
    if (ya === yb && ma === mb) return `${ma} ${ya}`
    if (ya === yb && ma === 'Jan' && mb === 'Dec') return `${ya}`
    return ya === yb ? `${ma} – ${mb} ${ya}` : `${ma} ${ya} – ${mb} ${yb}`
  }
  if (from === to) return `${ma} ${a.getUTCDate()}, ${ya}`
  if (ya !== yb) return `${ma} ${a.getUTCDate()}, ${ya} – ${mb} ${b.getUTCDate()}, ${yb}`
  if (ma !== mb) return `${ma} ${a.getUTCDate()} – ${mb} ${b.getUTCDate()}, ${yb}`
  return `${ma} ${a.getUTCDate()} – ${b.getUTCDate()}, ${yb}`
}
