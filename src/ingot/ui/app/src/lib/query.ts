/** From a tile and the state of the page to Cube queries. Pure: the same input, the same query. */

import type { CrossFilter } from './address'
import type { DashboardSpec, Filter, Query, Tile } from './api'
import type { Catalog } from './meta'
import { autoGranularity, previous, type Granularity, type Range } from './ranges'

export interface Scope {
  dashboard: DashboardSpec
  /** null: all time; a text: words that only the server understands. */
  range: Range | string | null
  filters: CrossFilter[]
  catalog: Catalog
}

/** The time dimension that a tile is filtered by; null where it asked for none. */
export function timeOf(tile: Tile, dashboard: DashboardSpec): string | null {
  if (tile.time === null) return null
  if (typeof tile.time === 'string') return tile.time
  return tile.time?.dimension ?? dashboard.time?.dimension ?? null
}

export function dateRange(range: Range | string | null): string | string[] | undefined {
  if (range === null) return undefined
  return typeof range === 'string' ? range.replace(/-/g, ' ') : [range.from, range.to]
}

export function granularityOf(tile: Tile, scope: Scope): Granularity {
  const asked = tile.granularity ?? scope.dashboard.time?.granularity
  if (asked && asked !== 'auto') return asked as Granularity
  return autoGranularity(typeof scope.range === 'string' ? null : scope.range)
}

/** A filter on the values of one member, where null is a value too. */
export function valuesFilter(member: string, values: (string | null)[]): Filter {
  const named = values.filter((value): value is string => value !== null)
  const equals: Filter = { member, operator: 'equals', values: named }
  const missing: Filter = { member, operator: 'notSet' }
  if (named.length === values.length) return equals
  return named.length ? { or: [equals, missing] } : missing
}

/** The page's filters as they hold for a tile, and those that cannot hold there. */
export function crossFilters(
  tile: Tile,
  scope: Scope,
  except: string[] = [],
): { filters: Filter[]; unreached: string[] } {
  const filters: Filter[] = []
  const unreached: string[] = []
  for (const { member, values } of scope.filters) {
    const name = scope.catalog.reach(member, tile)
    if (!name) unreached.push(member)
    else if (!except.includes(name)) filters.push(valuesFilter(name, values))
  }
  return { filters, unreached }
}

interface Extra {
  range?: Range | string | null
  granularity?: Granularity
  dimensions?: string[]
  filters?: Filter[]
  order?: unknown
  limit?: number
  except?: string[]
}

export function tileQuery(tile: Tile, scope: Scope, extra: Extra = {}): Query {
  const query: Query = { measures: tile.measures, timezone: 'UTC' }
  const dimensions = extra.dimensions ?? []
  if (dimensions.length) query.dimensions = dimensions
  const time = timeOf(tile, scope.dashboard)
  if (time) {
    const range = dateRange(extra.range === undefined ? scope.range : extra.range)
    if (range || extra.granularity) {
      query.timeDimensions = [
        {
          dimension: time,
          ...(extra.granularity ? { granularity: extra.granularity } : {}),
          ...(range ? { dateRange: range } : {}),
        },
      ]
    }
  }
  const filters = [
    ...(scope.dashboard.filters ?? []),
    ...(tile.filters ?? []),
    ...crossFilters(tile, scope, extra.except).filters,
    ...(extra.filters ?? []),
  ]
  if (filters.length) query.filters = filters
  if (tile.segments?.length) query.segments = tile.segments
  if (extra.order) query.order = extra.order
  if (extra.limit) query.limit = extra.limit
  return query
}

export interface KpiQueries {
  now: Query
  before: Query | null
  spark: Query | null
}

/** A number, the same number one period earlier, and its course. */
export function kpiQueries(tile: Tile, scope: Scope): KpiQueries {
  const time = timeOf(tile, scope.dashboard)
  const known = time && scope.range && typeof scope.range !== 'string' ? scope.range : null
  return {
    now: tileQuery(tile, scope),
    before: known ? tileQuery(tile, scope, { range: previous(known) }) : null,
    spark: time ? tileQuery(tile, scope, { granularity: granularityOf({ ...tile, granularity: tile.granularity ?? null }, scope) }) : null,
  }
}

/** The largest first, unless the tile says otherwise. */
export function orderOf(tile: Tile): unknown {
  const order = tile.order
  const empty = !order || (Array.isArray(order) ? !order.length : !Object.keys(order as object).length)
  const first = tile.measures[0]
  if (!empty) return order
  return first ? { [first]: 'desc' } : undefined
}
