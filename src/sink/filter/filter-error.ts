import type { ASTNode, SourceRange } from '@marcbachmann/cel-js'

/** What is wrong with an expression, where; the message shows the line with the place marked. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
  /** Without the place and the picture. */
  readonly summary: string
  /** From 1, within the expression. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number

  constructor(summary: string, text: string, range: SourceRange) {
    const start = Math.min(range.start, text.length)
    const lineStart = text.lastIndexOf('\n', start - 1) + 1
    const nextLine = text.indexOf('\n', start)
    const lineEnd = nextLine === -1 ? text.length : nextLine
    const line = text.slice(0, lineStart).split('\n').length
    const column = start - lineStart + 1
    const marks = Math.max(1, Math.min(range.end, lineEnd) - start)
    const picture = `  ${text.slice(lineStart, lineEnd).replaceAll('\t', ' ')}\n  ${' '.repeat(column - 1)}${'^'.repeat(marks)}`
    super(`${summary} (${line}:${column})\n${picture}`)
    this.summary = summary
    this.line = line
    this.column = column
  }

  static at(node: ASTNode, summary: string): FilterError {
    return new FilterError(summary, node.input, node.range)
  }
}
