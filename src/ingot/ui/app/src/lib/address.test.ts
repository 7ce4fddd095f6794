import { describe, expect, it } from 'vitest'
import { readState, toggle, toggleRow, writeState, type PageState } from './address'

const full: PageState = {
  ref: 'run/20261120-1',
  range: '2026-01-01..2026-03-31',
  filters: [
    { member: 'sales.customers_segment', values: ['Small & Co = ünïcode', null, ''] },
    { member: 'sales.orders_channel', values: ['a+b %20', '!x'] },
  ],
}

describe('the address', () => {
  it('gives back exactly what was put in', () => {
    expect(readState(writeState(full))).toEqual(full)
  })

  it('is empty when nothing was chosen', () => {
    expect(writeState({ ref: null, range: null, filters: [] })).toBe('')
    expect(readState('')).toEqual({ ref: null, range: null, filters: [] })
  })

  it('reads like what it means', () => {
    expect(writeState({ ref: 'dev', range: 'last-7-days', filters: [{ member: 'a.b', values: ['x', null] }] })).toBe(
      '?ref=dev&range=last-7-days&f=a.b%3Dx&f=!a.b',
    )
  })

  it('leaves out what is not a filter', () => {
    for (const f of ['', 'x', '=', '!', 'a.b', 'a.b.c=1', '<script>=1', 'a b.c=1', '!!a.b']) {
      expect(readState(`?f=${encodeURIComponent(f)}`).filters).toEqual([])
    }
  })
})

describe('clicks', () => {
  it('add a value and take it back', () => {
    const one = toggle([], 'a.b', 'x')
    const two = toggle(one, 'a.b', null)
    expect(two).toEqual([{ member: 'a.b', values: ['x', null] }])
    expect(toggle(toggle(two, 'a.b', 'x'), 'a.b', null)).toEqual([])
  })

  it('choose the row of a table instead of what was chosen there', () => {
    const before = [
      { member: 'a.b', values: ['x', 'y'] },
      { member: 'a.d', values: ['kept'] },
    ]
    const row: [string, string | null][] = [
      ['a.b', 'x'],
      ['a.c', null],
    ]
    const after = toggleRow(before, row)
    expect(after).toEqual([
      { member: 'a.d', values: ['kept'] },
      { member: 'a.b', values: ['x'] },
      { member: 'a.c', values: [null] },
    ])
    expect(toggleRow(after, row)).toEqual([{ member: 'a.d', values: ['kept'] }])
  })
})
