import { describe, expect, it } from 'vitest'
import type { DashboardSpec, MetaCube, Tile } from './api'
import { Catalog } from './meta'
import { crossFilters, granularityOf, kpiQueries, orderOf, tileQuery, valuesFilter, type Scope } from './query'
import { between } from './ranges'

function cube(name: string, type: 'cube' | 'view', dimensions: [string, string?][], connectedComponent = 1): MetaCube {
  return {
    name,
    type,
    connectedComponent,
    measures: [{ name: `${name}.revenue`, aggType: 'sum' }],
    dimensions: dimensions.map(([one, aliasMember]) => ({ name: `${name}.${one}`, type: 'string', aliasMember })),
  }
}

const catalog = new Catalog([
  cube('sales', 'view', [['customers_segment', 'customers.segment'], ['channel', 'orders.channel']]),
  cube('customer_360', 'view', [['segment', 'customers.segment']]),
  cube('orders', 'cube', [['channel']]),
  cube('customers', 'cube', [['segment']]),
  cube('weather', 'cube', [['wind']], 2),
])
const dashboard: DashboardSpec = {
  name: 'd',
  title: 'D',
  time: { dimension: 'sales.order_date', range: 'last 12 months', granularity: 'auto' },
  filters: [{ member: 'sales.channel', operator: 'notEquals', values: ['Test'] }],
  tiles: [],
}
const kpi: Tile = { type: 'kpi', name: 'r', title: 'R', measures: ['sales.revenue'], time: 'sales.order_date' }
const scope: Scope = { dashboard, range: between('2026-01-01', '2026-03-31'), filters: [], catalog }

describe('queries', () => {
  it('ask for the range, the period before and the course', () => {
    const { now, before, spark } = kpiQueries(kpi, scope)
    expect(now).toEqual({
      measures: ['sales.revenue'],
      timezone: 'UTC',
      timeDimensions: [{ dimension: 'sales.order_date', dateRange: ['2026-01-01', '2026-03-31'] }],
      filters: dashboard.filters,
    })
    expect(before?.timeDimensions).toEqual([{ dimension: 'sales.order_date', dateRange: ['2025-10-01', '2025-12-31'] }])
    expect(spark?.timeDimensions?.[0]?.granularity).toBe('week')
  })

  it('ask without a date filter where the tile says so', () => {
    const { now, before, spark } = kpiQueries({ ...kpi, time: null }, scope)
    expect(now.timeDimensions).toBeUndefined()
    expect([before, spark]).toEqual([null, null])
  })

  it('have no earlier period for all time', () => {
    expect(kpiQueries(kpi, { ...scope, range: null }).before).toBeNull()
  })

  it('take the granularity of the tile before that of the page', () => {
    const page = { ...scope, dashboard: { ...dashboard, time: { dimension: 'x.y', granularity: 'quarter' } } }
    expect(granularityOf({ ...kpi, granularity: 'day' }, page)).toBe('day')
    expect(granularityOf({ ...kpi, granularity: null }, page)).toBe('quarter')
    expect(granularityOf({ ...kpi, granularity: 'auto' }, page)).toBe('week')
  })

  it('sort the largest first unless told otherwise', () => {
    expect(orderOf({ ...kpi, order: {} })).toEqual({ 'sales.revenue': 'desc' })
    expect(orderOf({ ...kpi, order: { 'sales.channel': 'asc' } })).toEqual({ 'sales.channel': 'asc' })
  })
})

describe('filters', () => {
  it('can hold a missing value', () => {
    const equals = { member: 'a.b', operator: 'equals', values: ['x'] }
    const missing = { member: 'a.b', operator: 'notSet' }
    expect(valuesFilter('a.b', ['x'])).toEqual(equals)
    expect(valuesFilter('a.b', [null])).toEqual(missing)
    expect(valuesFilter('a.b', ['x', null])).toEqual({ or: [equals, missing] })
  })

  const filters = [{ member: 'sales.customers_segment', values: ['Enterprise'] }]
  const on = (measure: string) => crossFilters({ ...kpi, measures: [measure] }, { ...scope, filters })

  it('reach another view that shows the same dimension under another name', () => {
    expect(on('sales.revenue').filters).toEqual([valuesFilter('sales.customers_segment', ['Enterprise'])])
    expect(on('customer_360.revenue').filters).toEqual([valuesFilter('customer_360.segment', ['Enterprise'])])
    expect(on('customers.revenue').filters).toEqual([valuesFilter('customers.segment', ['Enterprise'])])
  })

  it('say where they do not reach', () => {
    expect(on('weather.revenue')).toEqual({ filters: [], unreached: ['sales.customers_segment'] })
  })

  it('reach joined cubes', () => {
    const joined = { ...scope, filters: [{ member: 'customers.segment', values: ['a'] }] }
    expect(crossFilters({ ...kpi, measures: ['orders.revenue'] }, joined).unreached).toEqual([])
    expect(crossFilters({ ...kpi, measures: ['weather.revenue'] }, joined).unreached).toEqual(['customers.segment'])
  })

  it('leave out the dimension that the tile itself shows', () => {
    const query = tileQuery(kpi, { ...scope, filters }, { except: ['sales.customers_segment'] })
    expect(query.filters).toEqual(dashboard.filters)
  })
})
