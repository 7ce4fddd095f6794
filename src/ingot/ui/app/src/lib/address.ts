/** What of the page's state stands in the address, so that a link shows the same numbers to the next person. */

export interface CrossFilter {
  member: string
  /** null stands for "not set". */
  values: (string | null)[]
}

export interface PageState {
  ref: string | null
  range: string | null
  filters: CrossFilter[]
}

/**
 * `?ref=dev&range=last-7-days&f=sales.customers_segment=Enterprise&f=!sales.orders_channel`:
 * one `f` for each value, `!member` for a missing value.
 */
export function readState(search: string): PageState {
  const params = new URLSearchParams(search)
  const filters: CrossFilter[] = []
  for (const entry of params.getAll('f')) {
    const cut = entry.indexOf('=')
    const missing = cut < 0 && entry.startsWith('!')
    const member = missing ? entry.slice(1) : entry.slice(0, Math.max(cut, 0))
    if (!/^[\w$]+\.[\w$]+$/.test(member)) continue // not ours: a link cut short in a chat
    const value = missing ? null : entry.slice(cut + 1)
    const known = filters.find((filter) => filter.member === member)
    if (!known) filters.push({ member, values: [value] })
    else if (!known.values.includes(value)) known.values.push(value)
  }
  return { ref: params.get('ref') || null, range: params.get('range') || null, filters }
}

export function writeState(state: PageState): string {
  const params = new URLSearchParams()
  if (state.ref) params.set('ref', state.ref)
  if (state.range) params.set('range', state.range)
  for (const { member, values } of state.filters) {
    for (const value of values) params.append('f', value === null ? `!${member}` : `${member}=${value}`)
  }
  const text = params
    .toString()
    .replace(/%2E/gi, '.')
    .replace(/%21/g, '!')
    .replace(/%2F/gi, '/')
  return text ? `?${text}` : ''
}

/** The filters after a click on a value: chosen, or no longer chosen. */
export function toggle(filters: CrossFilter[], member: string, value: string | null): CrossFilter[] {
  const known = filters.find((filter) => filter.member === member)
  if (!known) return [...filters, { member, values: [value] }]
  const values = known.values.includes(value)
    ? known.values.filter((one) => one !== value)
    : [...known.values, value]
  const rest = filters.map((filter) => (filter === known ? { member, values } : filter))
  return rest.filter((filter) => filter.values.length > 0)
}

/** The filters after a click on a table row: exactly this row's values, or none of them when they were chosen. */
export function toggleRow(filters: CrossFilter[], row: [string, string | null][]): CrossFilter[] {
  const chosen = row.every(([member, value]) =>
    filters.some((f) => f.member === member && f.values.length === 1 && f.values[0] === value),
  )
  const others = filters.filter((filter) => !row.some(([member]) => member === filter.member))
  return chosen ? others : [...others, ...row.map(([member, value]) => ({ member, values: [value] }))]
}
