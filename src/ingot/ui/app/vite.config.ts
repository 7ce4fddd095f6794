import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/** Writes the licences of everything that the bundle carries into one text file beside it. */
function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const roots = new Map<string, string>()
      const note = (id: string) => {
        const at = id.lastIndexOf('node_modules/')
        if (at < 0) return
        const [scope = '', name = ''] = id.slice(at + 13).split('/')
        const full = scope.startsWith('@') ? `${scope}/${name}` : scope
        roots.set(full, join(id.slice(0, at + 13), full))
      }
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk') chunk.moduleIds.forEach((id) => note(id.replace('\0', '')))
      }
      roots.set('@fontsource-variable/inter', join(import.meta.dirname, 'node_modules/@fontsource-variable/inter'))
      const parts = [...roots]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, root]) => {
          const about = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
            version: string
            license?: string
          }
          const file = existsSync(root) && readdirSync(root).find((entry) => /^licen[cs]e/i.test(entry))
          const text = file ? readFileSync(join(root, file), 'utf8').trim() : (about.license ?? '')
          return `${name} ${about.version} (${about.license ?? 'see below'})\n\n${text}\n`
        })
      this.emitFile({
        type: 'asset',
        fileName: 'third-party-licences.txt',
        source: `The page contains the following software.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`,
      })
    },
  }
}

export default defineConfig({
  root: dirname(new URL(import.meta.url).pathname),
  plugins: [svelte(), licences()],
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:4000', '/cubejs-api': 'http://127.0.0.1:4000' } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
