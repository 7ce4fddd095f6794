import { describe, expect, it } from 'vitest'
import { ago, bytes, change, full, num, percent, period, seconds, short, text } from './format'

describe('numbers', () => {
  it('reads the text that Cube sends and knows nothing from zero', () => {
    expect(num('1247318.22')).toBe(1247318.22)
    expect(num(0)).toBe(0)
    for (const nothing of [null, undefined, '', 'NaN', 'abc', true]) expect(num(nothing)).toBeNull()
  })

  it.each([
    ['1247318.22', 'currency', '$1.25M', '$1,247,318.22'],
    ['12345.6', 'currency', '$12.3K', '$12,345.60'],
    ['793412', 'currency', '$793K', '$793,412.00'],
    ['1300000', 'currency', '$1.30M', '$1,300,000.00'],
    ['1999.5', 'currency', '$2,000', '$1,999.50'],
    ['329.734', 'currency', '$329.73', '$329.73'],
    ['-1247318.22', 'currency', '-$1.25M', '-$1,247,318.22'],
    ['6956', 'number', '6,956', '6,956'],
    ['6956', 'abbr', '7K', '6,956'],
    ['4.238', 'number', '4.24', '4.24'],
    ['19.234', 'percent', '19.2%', '19.23%'],
    ['0', 'currency', '$0.00', '$0.00'],
    [null, 'currency', '–', '–'],
  ] as const)('%s as %s', (value, format, brief, whole) => {
    expect(short(value, format)).toBe(brief)
    expect(full(value, format)).toBe(whole)
  })

  it('compares only where there is something to compare with', () => {
    expect(change(150, 100)).toBe(50)
    expect(change(-50, -100)).toBe(50)
    expect(change(10, 0)).toBeNull()
    expect(change(null, 10)).toBeNull()
    expect(percent(-12.345)).toBe('12.3%')
    expect(percent(250)).toBe('250%')
  })
})

describe('words', () => {
  it('names the steps of a time axis', () => {
    expect(period('2026-03-01T00:00:00.000', 'month')).toBe('Mar 2026')
    expect(period('2026-04-01', 'quarter')).toBe('Q2 2026')
    expect(period('2026-03-02', 'week')).toBe('Week of Mar 2, 2026')
    expect(period('2026-03-02', 'day')).toBe('Mon, Mar 2, 2026')
    expect(period('odd', 'day')).toBe('odd')
  })

  it('says when a value is missing', () => {
    expect(text(null)).toBe('Not set')
    expect(text('')).toBe('Empty')
    expect(text('<b>')).toBe('<b>')
    expect(text(false)).toBe('No')
  })

  it('measures bytes and time', () => {
    expect(bytes(1234567)).toBe('1.2 MB')
    expect(bytes(12)).toBe('12 B')
    expect(seconds(0.0123)).toBe('12 ms')
    expect(seconds(12.34)).toBe('12.3 s')
    expect(seconds(125)).toBe('2 min 5 s')
    const now = Date.parse('2026-11-20T12:00:00Z')
    expect(ago('2026-11-20T11:30:00Z', now)).toBe('30 min ago')
    expect(ago('2026-11-18T12:00:00Z', now)).toBe('2 days ago')
    expect(ago('2026-11-20T12:00:10Z', now)).toBe('just now')
  })
})
