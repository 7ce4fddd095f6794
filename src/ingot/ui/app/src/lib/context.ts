/** What every tile of a dashboard knows about the page around it. */

import type { CrossFilter } from './address'
import { asFormat, type Format } from './format'
import type { Tile } from './api'
import type { Scope } from './query'

export interface TileContext {
  scope: Scope
  /** null: the default branch. */
  ref: string | null
  /** The range, ref and filters in words, for pictures that leave the page. */
  caption: string
  filter: (filters: CrossFilter[]) => void
}

/** How a measure of a tile is written: the tile's own wish before the model's. */
export function formatOf(tile: Tile, measure: string, { scope }: TileContext): Format {
  return tile.format ? asFormat(tile.format) : scope.catalog.format(measure)
}

/** A name for files: the title in lower case without anything that a file system minds. */
export function fileName(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'tile'
}
