/** Light, dark, or whatever the system says; kept in this browser. */

import type { Palette } from './chart'

export type Choice = 'system' | 'light' | 'dark'

const KEY = 'ingot.theme'
const dark = window.matchMedia('(prefers-color-scheme: dark)')

function stored(): Choice {
  try {
    const text = localStorage.getItem(KEY)
    return text === 'light' || text === 'dark' ? text : 'system'
  } catch {
    return 'system' // storage may be forbidden; the theme then lasts as long as the page
  }
}

class Theme {
  choice = $state<Choice>(stored())
  #system = $state(dark.matches)
  shown = $derived<'light' | 'dark'>(this.choice === 'system' ? (this.#system ? 'dark' : 'light') : this.choice)

  constructor() {
    dark.addEventListener('change', (event) => {
      this.#system = event.matches
      this.#apply()
    })
    this.#apply()
  }

  choose(choice: Choice): void {
    this.choice = choice
    try {
      localStorage.setItem(KEY, choice)
    } catch {
      // see above
    }
    this.#apply()
  }

  #apply(): void {
    document.documentElement.dataset.theme = this.shown
  }

  /** The colours of the theme that is shown, as charts need them. */
  palette(): Palette {
    void this.shown
    const style = getComputedStyle(document.documentElement)
    const value = (name: string) => style.getPropertyValue(name).trim()
    return {
      text: value('--text'),
      muted: value('--muted'),
      grid: value('--grid'),
      surface: value('--surface'),
      series: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => value(`--series-${n}`)),
      font: value('--font'),
    }
  }
}

export const theme = new Theme()
