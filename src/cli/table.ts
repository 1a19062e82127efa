import { stripVTControlCharacters } from 'node:util'

export type Column = { readonly title: string; readonly align?: 'left' | 'right' }

const GAP = '  '

/** Columns as wide as they need; numbers go to the right. Lines end without blanks; cells may be coloured. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paintTitle: (title: string) => string = (title) => title,
): string {
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...rows.map((row) => widthOf(row[at] ?? ''))),
  )
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, at) => padded(cells[at] ?? '', widths[at] ?? 0, column.align))
      .join(GAP)
      .trimEnd()
  return [paintTitle(line(columns.map((column) => column.title))), ...rows.map(line)].join('\n')
}

function padded(cell: string, width: number, align: Column['align']): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(cell)))
  return align === 'right' ? blanks + cell : cell + blanks
}

function widthOf(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length
}
