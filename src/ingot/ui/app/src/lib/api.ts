/** Asks the server. Every failure becomes one `ApiError` that says what happened and what to do. */

import type { Cell } from './format'

export type Row = Record<string, Cell>

export interface Annotation {
  title?: string
  shortTitle?: string
  type?: string
  format?: unknown
}

export interface LoadResult {
  data: Row[]
  annotation: Record<'measures' | 'dimensions' | 'timeDimensions' | 'segments', Record<string, Annotation>>
}

export type Filter =
  | { member: string; operator: string; values?: (string | number | boolean)[] }
  | { and: Filter[] }
  | { or: Filter[] }

export interface Query {
  measures?: string[]
  dimensions?: string[]
  timeDimensions?: { dimension: string; granularity?: string; dateRange?: string | string[] }[]
  filters?: Filter[]
  segments?: string[]
  order?: unknown
  limit?: number
  timezone?: string
}

export interface Tile {
  type: 'kpi' | 'trend' | 'breakdown' | 'table'
  name: string
  title: string
  description?: string | null
  measures: string[]
  dimensions?: string[]
  granularity?: string | null
  chart?: string | null
  order?: unknown
  limit?: number | null
  filters?: Filter[]
  segments?: string[]
  time?: string | { dimension: string } | null
  better?: 'up' | 'down' | 'none' | null
  format?: string | null
  width?: number | null
}

export interface DashboardSpec {
  name: string
  title: string
  description?: string | null
  time?: {
    dimension: string
    range?: string | string[] | null
    granularity?: string | null
  } | null
  filters?: Filter[]
  tiles: Tile[]
}

export interface MetaMember {
  name: string
  title?: string
  shortTitle?: string
  description?: string | null
  type?: string
  aggType?: string
  format?: unknown
  aliasMember?: string
  public?: boolean
  isVisible?: boolean
}

export interface MetaCube {
  name: string
  type?: 'cube' | 'view'
  title?: string
  description?: string | null
  public?: boolean
  connectedComponent?: number
  measures: MetaMember[]
  dimensions: MetaMember[]
  segments?: MetaMember[]
}

export interface Ref {
  kind: 'BRANCH' | 'TAG'
  name: string
  hash: string
}

export interface TableInfo {
  name: string
  rows: number | null
  bytes: number | null
  columns: { name: string; type: string }[]
}

export interface Step {
  name: string
  kind?: string
  status?: string
  rows?: number | null
  bytes?: number | null
  seconds?: number | null
  error?: string | null
}

export interface Run {
  run: string
  status: string
  branch?: string | null
  commit?: string | null
  seconds?: number | null
  started?: string | number | null
  started_at?: string | number | null
  steps?: Step[]
}

export interface Commit {
  hash: string
  message: string
  author?: string
  time?: string | number
  parents?: string[]
}

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly hint: string | null = null,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

async function request(path: string, init: RequestInit): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new ApiError('The server does not answer.', 0, 'Is `ingot serve` still running?')
  }
  const body = await response.text()
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    throw new ApiError(`The server answered ${response.status} without JSON.`, response.status)
  }
  if (!response.ok || (parsed && typeof parsed === 'object' && 'error' in parsed && !('data' in parsed))) {
    const { error, message, hint } = parsed as Record<string, unknown>
    const said = [error, message].find((one) => typeof one === 'string' && one !== '')
    throw new ApiError(
      (said as string | undefined) ?? `The server answered ${response.status}.`,
      response.status,
      typeof hint === 'string' ? hint : null,
    )
  }
  return parsed
}

export async function get<T>(path: string, params: Record<string, string | null> = {}, signal?: AbortSignal): Promise<T> {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(params)) if (value) search.set(key, value)
  const query = search.size ? `?${search}` : ''
  return (await request(path + query, { headers: { accept: 'application/json' }, signal })) as T
}

const WAITS = 60

/** The rows of a semantic query on a ref. Asks again while Cube's protocol says "Continue wait". */
export async function load(query: Query, ref: string | null, signal?: AbortSignal): Promise<LoadResult> {
  const body = JSON.stringify(ref ? { query, ref } : { query })
  for (let waits = 0; ; waits += 1) {
    try {
      return (await request('/cubejs-api/v1/load', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body,
        signal,
      })) as LoadResult
    } catch (error) {
      if (!(error instanceof ApiError) || error.message !== 'Continue wait' || waits >= WAITS) throw error
    }
  }
}
