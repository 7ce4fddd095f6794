/** Tables as CSV text (RFC 4180), and files handed to the person. */

import type { Cell } from './format'

export function csv(header: string[], rows: Cell[][]): string {
  return [header, ...rows].map((row) => row.map(field).join(',')).join('\r\n') + '\r\n'
}

function field(value: Cell): string {
  if (value == null) return ''
  let text = String(value)
  // A spreadsheet would run such a text as a formula; a negative number is only a number.
  if (/^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) text = `'${text}`
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text
}

export function download(name: string, content: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

export function downloadCsv(name: string, header: string[], rows: Cell[][]): void {
  download(`${name}.csv`, new Blob(['\ufeff', csv(header, rows)], { type: 'text/csv;charset=utf-8' }))
}
