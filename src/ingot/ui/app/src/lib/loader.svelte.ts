/** An answer that is on its way: the last one stays visible (and is marked stale) until the next is there. */

import { ApiError } from './api'

export class Loader<T> {
  data = $state.raw<T | null>(null)
  error = $state.raw<ApiError | null>(null)
  loading = $state(true)
  #abort: AbortController | null = null

  async run(ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#abort?.abort()
    const abort = new AbortController()
    this.#abort = abort
    this.loading = true
    try {
      const data = await ask(abort.signal)
      if (abort.signal.aborted) return
      this.data = data
      this.error = null
    } catch (error) {
      if (abort.signal.aborted) return
      this.data = null
      this.error = error instanceof ApiError ? error : new ApiError(error instanceof Error ? error.message : String(error), 0)
    }
    this.loading = false
  }

  stop(): void {
    this.#abort?.abort()
  }
}
