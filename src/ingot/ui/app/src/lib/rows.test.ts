import { describe, expect, it } from 'vitest'
import { ticks } from './chart'
import { csv } from './csv'
import { between, buckets } from './ranges'
import { course, partial, sortRows } from './rows'

const month = (day: string, rest: object) => ({ 'o.at.month': `${day}T00:00:00.000`, 'o.at': `${day}T00:00:00.000`, ...rest })

describe('a course', () => {
  const shape = { dimension: 'o.at', granularity: 'month', range: between('2026-01-01', '2026-04-30') } as const

  it('fills a step without rows: zero for what is counted, a gap for a mean', () => {
    const rows = [month('2026-01-01', { 'o.n': '3', 'o.avg': '1.5' }), month('2026-03-01', { 'o.n': '4', 'o.avg': '2.5' })]
    const found = course(rows, {
      ...shape,
      measures: [
        { name: 'o.n', title: 'N', additive: true },
        { name: 'o.avg', title: 'Mean', additive: false },
      ],
    })
    expect(found.steps).toEqual(['2026-01-01', '2026-02-01', '2026-03-01', '2026-04-01'])
    expect(found.series.map((one) => one.values)).toEqual([
      [3, 0, 4, 0],
      [1.5, null, 2.5, null],
    ])
  })

  it('has a series for each value of a dimension, a missing one too', () => {
    const rows = [month('2026-01-01', { 'o.n': '3', 'o.c': 'Web' }), month('2026-02-01', { 'o.n': '1', 'o.c': null })]
    const found = course(rows, { ...shape, by: 'o.c', measures: [{ name: 'o.n', title: 'N', additive: true }] })
    expect(found.series.map((one) => [one.name, one.values])).toEqual([
      ['Web', [3, 0, 0, 0]],
      ['Not set', [0, 1, 0, 0]],
    ])
  })

  it('does not draw the future as zero', () => {
    const range = between('2026-01-01', '2999-12-31')
    const rows = [month('2026-01-01', { 'o.n': '3' })]
    const { steps } = course(rows, { ...shape, range, measures: [{ name: 'o.n', title: 'N', additive: true }] })
    expect((steps.at(-1) ?? '') <= new Date().toISOString().slice(0, 10)).toBe(true)
  })

  it('is nothing without rows', () => {
    expect(course([], { ...shape, measures: [{ name: 'o.n', title: 'N', additive: true }] }).steps).toEqual([])
  })

  it('knows when its last step is not over', () => {
    expect(partial(['2026-03-01'], 'month', between('2026-01-01', '2026-03-20'))).toBe(true)
    expect(partial(['2026-03-01'], 'month', between('2026-01-01', '2026-03-31'))).toBe(false)
  })
})

describe('tables', () => {
  it('sort numbers as numbers, with missing values last both ways', () => {
    const rows = [{ v: '9' }, { v: null }, { v: '10' }, { v: '-1' }]
    expect(sortRows(rows, 'v', true, true).map((row) => row.v)).toEqual(['10', '9', '-1', null])
    expect(sortRows(rows, 'v', true, false).map((row) => row.v)).toEqual(['-1', '9', '10', null])
    expect(sortRows([{ v: 'b' }, { v: 'A' }], 'v', false, false).map((row) => row.v)).toEqual(['A', 'b'])
  })

  it('are quoted as CSV, and no cell is a formula', () => {
    expect(csv(['a', 'b'], [['x,"y"', -1.5], ['two\nlines', null], ['=1+1', '-cmd']])).toBe(
      'a,b\r\n"x,""y""",-1.5\r\n"two\nlines",\r\n\'=1+1,\'-cmd\r\n',
    )
  })
})

describe('ticks', () => {
  it('fall on round months when there is no room for all', () => {
    const steps = buckets('2024-11-01', '2026-10-31', 'month')
    const shown = ticks(steps, 'month', 300).map((at) => new Date(at).toISOString().slice(0, 7))
    expect(shown).toEqual(['2025-01', '2025-07', '2026-01', '2026-07'])
  })

  it('are all there when there is room, and end with the last day', () => {
    const steps = buckets('2026-11-01', '2026-11-07', 'day')
    expect(ticks(steps, 'day', 900)).toHaveLength(7)
    expect(ticks(steps, 'day', 200).at(-1)).toBe(Date.parse('2026-11-07'))
  })
})
