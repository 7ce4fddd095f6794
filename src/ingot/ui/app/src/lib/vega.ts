/**
 * Draws Vega-Lite specifications; loaded only when the first chart is drawn. Expressions are interpreted,
 * not compiled, because the page's security policy forbids `eval`.
 */

import { Error as ERROR, View, parse, type Item } from 'vega'
import { expressionInterpreter } from 'vega-interpreter'
import { compile, type TopLevelSpec } from 'vega-lite'

export interface Hover {
  value: number
  x: number
  y: number
}

export interface Hooks {
  hover?: (at: Hover | null) => void
  click?: (datum: Record<string, unknown>) => void
}

const quiet = { level: () => quiet, warn: () => quiet, info: () => quiet, debug: () => quiet, error: (...args: unknown[]) => (console.error(...args), quiet) }

function view(spec: TopLevelSpec): View {
  const { spec: vega } = compile(spec, { logger: quiet as never })
  return new View(parse(vega, undefined, { ast: true }), { expr: expressionInterpreter, logLevel: ERROR } as never)
}

/** Draws into `element`; call what is given back to take the chart away. */
export async function draw(element: HTMLElement, spec: TopLevelSpec, hooks: Hooks = {}): Promise<() => void> {
  const chart = view(spec).renderer('svg').initialize(element).hover()
  chart.tooltip((_handler, event, _item, value) => {
    const box = element.getBoundingClientRect()
    const mouse = event as unknown as MouseEvent
    const known = value != null && value !== ''
    hooks.hover?.(known ? { value: Number(value), x: mouse.clientX - box.left, y: mouse.clientY - box.top } : null)
  })
  if (hooks.click) {
    chart.addEventListener('click', (_event, item?: Item | null) => {
      if (item?.datum) hooks.click?.(item.datum as Record<string, unknown>)
    })
  }
  await chart.runAsync()
  // The table view beside it is the accessible form; assistive technology reads the frame's label.
  element.querySelector('svg')?.setAttribute('aria-hidden', 'true')
  return () => chart.finalize()
}

export async function png(spec: TopLevelSpec): Promise<Blob> {
  const chart = view(spec)
  const canvas = (await chart.toCanvas(2)) as unknown as HTMLCanvasElement
  chart.finalize()
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture is too large.'))), 'image/png')
  })
}
