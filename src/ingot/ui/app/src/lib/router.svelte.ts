/** The address as state: a path, and the ref, range and filters behind the question mark. */

import { readState, writeState, type PageState } from './address'

class Router {
  path = $state(location.pathname)
  #search = $state(location.search)
  state = $derived<PageState>(readState(this.#search))

  constructor() {
    window.addEventListener('popstate', () => this.#read())
  }

  #read(): void {
    this.path = location.pathname
    this.#search = location.search
  }

  /** The address of another page; the ref goes along, the range and filters of a dashboard do not. */
  href(path: string): string {
    return path + writeState({ ref: this.state.ref, range: null, filters: [] })
  }

  go(path: string, replace = false): void {
    history[replace ? 'replaceState' : 'pushState'](null, '', this.href(path))
    this.#read()
    window.scrollTo(0, 0)
  }

  /** Puts what stood behind the question mark of another address behind this one. */
  adopt(search: string): void {
    history.replaceState(null, '', location.pathname + writeState(readState(search)))
    this.#read()
  }

  set(change: Partial<PageState>): void {
    const next = writeState({ ...this.state, ...change })
    if (next === location.search) return
    history.pushState(null, '', location.pathname + next)
    this.#read()
  }

  /** A click on a link within the page, unless the person wants it in another tab. */
  click = (event: MouseEvent): void => {
    const link = (event.target as Element).closest?.('a')
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    if (!link.hasAttribute('data-page')) return
    event.preventDefault()
    history.pushState(null, '', link.href)
    this.#read()
    window.scrollTo(0, 0)
  }
}

export const router = new Router()
