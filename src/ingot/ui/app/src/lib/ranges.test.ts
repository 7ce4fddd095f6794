import { describe, expect, it } from 'vitest'
import { add, autoGranularity, between, buckets, isDay, label, previous, resolve, slug, spell, startOf } from './ranges'

const NOW = '2026-11-20' // a Friday

function days(text: string): [string, string] | null | undefined {
  const range = resolve(text, NOW)
  return range && [range.from, range.to]
}

describe('resolve', () => {
  it.each([
    ['last-7-days', '2026-11-13', '2026-11-19'],
    ['last-1-week', '2026-11-09', '2026-11-15'],
    ['last-12-months', '2025-11-01', '2026-10-31'],
    ['last-2-quarters', '2026-04-01', '2026-09-30'],
    ['last-year', '2025-01-01', '2025-12-31'],
    ['this-month', '2026-11-01', '2026-11-30'],
    ['this-week', '2026-11-16', '2026-11-22'],
    ['next-month', '2026-12-01', '2026-12-31'],
    ['month-to-date', '2026-11-01', '2026-11-20'],
    ['quarter-to-date', '2026-10-01', '2026-11-20'],
    ['year-to-date', '2026-01-01', '2026-11-20'],
    ['today', '2026-11-20', '2026-11-20'],
    ['yesterday', '2026-11-19', '2026-11-19'],
    ['2026-01-05..2026-02-03', '2026-01-05', '2026-02-03'],
  ])('%s', (text, from, to) => {
    expect(days(text)).toEqual([from, to])
  })

  it('knows all time, and refuses what means nothing', () => {
    expect(days('all')).toBeNull()
    for (const text of ['', 'soon', 'last-0-days', 'last--3-days', '2026-02-30..2026-03-01', '2026-03-01..2026-02-01', '<b>']) {
      expect(days(text)).toBeUndefined()
    }
  })

  it('keeps the last day of February out of March', () => {
    expect(resolve('last-month', '2024-03-31')).toMatchObject({ from: '2024-02-01', to: '2024-02-29' })
  })
})

describe('previous', () => {
  const before = (text: string, now = NOW) => {
    const range = resolve(text, now)
    if (!range) throw new Error(text)
    const { from, to } = previous(range)
    return [from, to]
  }
  it.each([
    ['last-7-days', '2026-11-06', '2026-11-12'],
    ['last-12-months', '2024-11-01', '2025-10-31'],
    ['last-3-months', '2026-05-01', '2026-07-31'],
    ['last-year', '2024-01-01', '2024-12-31'],
    ['month-to-date', '2026-10-01', '2026-10-20'],
    ['quarter-to-date', '2026-07-01', '2026-08-20'],
    ['2026-01-05..2026-02-03', '2025-12-06', '2026-01-04'],
    ['2026-01-01..2026-03-31', '2025-10-01', '2025-12-31'],
    ['2026-02-01..2026-02-28', '2026-01-01', '2026-01-31'],
  ])('%s', (text, from, to) => {
    expect(before(text)).toEqual([from, to])
  })

  it('never runs into the range itself', () => {
    expect(before('month-to-date', '2026-03-30')).toEqual(['2026-02-01', '2026-02-28'])
  })
})

describe('days', () => {
  it('moves by months without leaving them', () => {
    expect(add('2026-01-31', 1, 'month')).toBe('2026-02-28')
    expect(add('2024-02-29', -1, 'year')).toBe('2023-02-28')
    expect(add('2026-01-01', -1, 'day')).toBe('2025-12-31')
  })

  it('starts weeks on Monday', () => {
    expect(startOf('2026-11-22', 'week')).toBe('2026-11-16')
    expect(startOf('2026-11-16', 'week')).toBe('2026-11-16')
  })

  it('is strict about dates', () => {
    expect(isDay('2024-02-29')).toBe(true)
    expect(isDay('2023-02-29')).toBe(false)
    expect(isDay('2023-2-9')).toBe(false)
  })
})

describe('granularity and buckets', () => {
  it('is by day up to 31 days, by week up to 26 weeks, else by month', () => {
    expect(autoGranularity(between('2026-01-01', '2026-01-31'))).toBe('day')
    expect(autoGranularity(between('2026-01-01', '2026-02-01'))).toBe('week')
    expect(autoGranularity(between('2026-01-01', '2026-07-01'))).toBe('week') // 182 days
    expect(autoGranularity(between('2026-01-01', '2026-07-02'))).toBe('month')
    expect(autoGranularity(null)).toBe('month')
  })

  it('covers the range from the unit that holds its first day', () => {
    expect(buckets('2026-11-01', '2026-11-17', 'week')).toEqual(['2026-10-26', '2026-11-02', '2026-11-09', '2026-11-16'])
    expect(buckets('2025-11-15', '2026-02-01', 'month')).toEqual(['2025-11-01', '2025-12-01', '2026-01-01', '2026-02-01'])
  })
})

describe('words', () => {
  it('turns what the file says into what the address says', () => {
    expect(slug('last 12 months')).toBe('last-12-months')
    expect(slug(['2026-01-01', '2026-03-31'])).toBe('2026-01-01..2026-03-31')
    expect(slug(null)).toBe('all')
  })

  it('names ranges as people do', () => {
    expect(label('last-12-months', NOW)).toBe('Last 12 months')
    expect(label('last-2-weeks', NOW)).toBe('Last 2 weeks')
    expect(spell({ from: '2025-11-01', to: '2026-10-31' })).toBe('Nov 2025 – Oct 2026')
    expect(spell({ from: '2025-01-01', to: '2025-12-31' })).toBe('2025')
    expect(spell({ from: '2026-03-03', to: '2026-03-09' })).toBe('Mar 3 – 9, 2026')
    expect(spell({ from: '2026-03-03', to: '2026-04-09' })).toBe('Mar 3 – Apr 9, 2026')
    expect(spell({ from: '2026-03-03', to: '2026-03-03' })).toBe('Mar 3, 2026')
  })
})
