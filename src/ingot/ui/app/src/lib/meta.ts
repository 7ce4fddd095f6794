/** The members of the semantic model by name, and where a filter on one of them holds. */

import type { MetaCube, MetaMember, Tile } from './api'
import { asFormat, type Format } from './format'

export interface Member extends MetaMember {
  cube: string
  kind: 'measure' | 'dimension' | 'segment'
}

export class Catalog {
  readonly members = new Map<string, Member>()
  readonly cubes: MetaCube[]

  constructor(cubes: MetaCube[]) {
    this.cubes = cubes
    for (const cube of cubes) {
      for (const one of cube.measures ?? []) this.members.set(one.name, { ...one, cube: cube.name, kind: 'measure' })
      for (const one of cube.dimensions ?? []) this.members.set(one.name, { ...one, cube: cube.name, kind: 'dimension' })
      for (const one of cube.segments ?? []) this.members.set(one.name, { ...one, cube: cube.name, kind: 'segment' })
    }
  }

  /**
   * What a member is called. A view's member is called as in its cube ("Segment", not "Customers Segment"),
   * unless that says too little on its own ("Count").
   */
  title(name: string): string {
    const member = this.members.get(name)
    const own = calm(name, member?.shortTitle || member?.title)
    const origin = member?.aliasMember ? this.members.get(member.aliasMember) : undefined
    if (!member || !origin || own !== spaced(name.split('.').at(-1) ?? '')) return own
    const there = calm(origin.name, origin.shortTitle || origin.title)
    return /^(count|id|name|title|type|status|total|amount|date|description)$/i.test(there) ? own : there
  }

  description(name: string): string {
    return this.members.get(name)?.description ?? ''
  }

  format(name: string): Format {
    return asFormat(this.members.get(name)?.format)
  }

  /** Whether a missing step of a time axis means zero: nothing counted is 0, the mean of nothing is not. */
  additive(name: string): boolean {
    const type = this.members.get(name)?.aggType ?? ''
    return /^(count|sum|countDistinct|count_distinct|countDistinctApprox|count_distinct_approx|runningTotal)$/.test(type)
  }

  isNumber(name: string): boolean {
    return this.members.get(name)?.type === 'number'
  }

  isTime(name: string): boolean {
    return this.members.get(name)?.type === 'time'
  }

  /**
   * The name under which a filter on `member` holds for a tile, or null where it cannot hold there:
   * the same cube or view, another view over the same dimension, or a cube that is joined.
   */
  reach(member: string, tile: Pick<Tile, 'measures' | 'dimensions'>): string | null {
    const home = (tile.measures[0] ?? tile.dimensions?.[0] ?? '').split('.')[0] ?? ''
    if (member.split('.')[0] === home) return member
    const wanted = this.members.get(member)
    if (!wanted) return null
    const origin = wanted.aliasMember ?? member
    for (const other of this.members.values()) {
      if (other.cube === home && other.kind === wanted.kind && (other.aliasMember ?? other.name) === origin) {
        return other.name
      }
    }
    const [from, to] = [wanted.cube, home].map((name) => this.cubes.find((cube) => cube.name === name))
    const joined = from?.connectedComponent != null && from.connectedComponent === to?.connectedComponent
    return joined && from?.type !== 'view' && to?.type !== 'view' ? member : null
  }
}

/** A title that a person wrote stays; one made from the name (`Total Revenue`) becomes a calm "Total revenue". */
function calm(name: string, title: string | undefined): string {
  const made = spaced(name.split('.').at(-1) ?? name)
  return !title || title.toLowerCase() === made.toLowerCase() ? made : title
}

export function spaced(name: string): string {
  const words = name.replace(/_/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
