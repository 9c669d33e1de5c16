/**
 * Rows as a table that fits the terminal.
 *
 * Columns that may shrink are cut with `…` until the table fits. A column that
 * is empty in every row is left out. If the table is still too wide, each row
 * becomes a block with one line per column. Without a terminal nothing is cut.
 */
import { cutTo, plainText, widthOf } from './plain-text.js'

export interface Column<Row> {
  /** Heading. */
  title: string
  /** Raw text; made plain here. May be empty. */
  text: (row: Row) => string
  /** Minimum width when it is cut; absent: never cut. */
  least?: number
  /** Right-aligned, for numbers. */
  align?: 'left' | 'right'
  /** Colours a cell; gets the padded cell and its row. */
  paint?: (cell: string, row: Row) => string
}

/** The output of the table. */
export interface TablePlace {
  /** Infinity without a terminal. */
  columns: number
  /** Colours the headings. */
  heading: (text: string) => string
}

const GAP = '  '

/** @returns lines without line ends; empty if there are no rows */
export function formatTable<Row> (rows: readonly Row[], columns: ReadonlyArray<Column<Row>>, place: TablePlace): string[] {
  if (rows.length === 0) return []
  const used = columns.map(column => ({ column, cells: rows.map(row => plainText(column.text(row))) }))
    .filter(({ cells }) => cells.some(cell => cell !== ''))
  const widths = fit(used, place.columns)
  if (widths === null) return blocks(rows, used, place)
  const line = (cells: string[]): string => cells.join(GAP).trimEnd()
  return [
    line(used.map(({ column }, at) => place.heading(pad(column.title, widths[at]!, column.align)))),
    ...rows.map((row, index) => line(used.map(({ column, cells }, at) =>
      painted(column, pad(cutTo(cells[index]!, widths[at]!), widths[at]!, column.align), row))))
  ]
}

/** A column with content, and its texts. */
interface Used<Row> { column: Column<Row>, cells: string[] }

/** Cuts the widest column that may shrink until all fit; `null` if they cannot. */
function fit<Row> (used: ReadonlyArray<Used<Row>>, available: number): number[] | null {
  const widths = used.map(({ column, cells }) => Math.max(widthOf(column.title), ...cells.map(widthOf)))
  const leasts = used.map(({ column }, at) => Math.min(widths[at]!, Math.max(column.least ?? Infinity, widthOf(column.title))))
  const total = (list: readonly number[]): number => list.reduce((sum, width) => sum + width, GAP.length * (list.length - 1))
  if (total(leasts) > available) return null
  while (total(widths) > available) {
    const spare = widths.map((width, at) => width > leasts[at]! ? width : 0)
    widths[spare.indexOf(Math.max(...spare))]! -= 1
  }
  return widths
}

function blocks<Row> (rows: readonly Row[], used: ReadonlyArray<Used<Row>>, { heading }: TablePlace): string[] {
  const width = Math.max(...used.map(({ column }) => widthOf(column.title)))
  return rows.flatMap((row, index) => [
    ...(index === 0 ? [] : ['']),
    ...used.filter(({ cells }) => cells[index] !== '').map(({ column, cells }) =>
      heading(pad(column.title, width, 'left')) + GAP + painted(column, cells[index]!, row))
  ])
}

function painted<Row> (column: Column<Row>, cell: string, row: Row): string {
  return column.paint === undefined ? cell : column.paint(cell, row)
}

function pad (text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'right' ? space + text : text + space
}
