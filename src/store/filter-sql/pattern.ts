import type { ASTNode } from '@marcbachmann/cel-js'
import type { FilterError } from '../../sink/filter/mod.ts'
import { untold } from './term.ts'

/** `\s` and `.` of JavaScript, for RE2's classes. */
const SPACE = '\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}'
const LINE_ENDS = '\\n\\r\\x{2028}\\x{2029}'
/** Bound of RE2. */
const REPEAT_MAX = 1000
/** The pieces of a pattern, one at a time. */
const PIECE = /\\u\{|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\c|\\[pPk]|\\[^]|\(\?<[A-Za-z_]\w*>|\(\?:|\(\?|\{\d+(?:,\d*)?\}|\[\^?\]|[^]/gu

/**
 * A pattern of JavaScript as one of RE2 (github.com/google/re2/wiki/Syntax) that matches the same.
 *
 * @throws {FilterError} at `node`, for what RE2 has not, or reads in another way
 */
export function patternSql(node: ASTNode, pattern: string): string {
  let out = ''
  let isClass = false
  for (const [piece] of pattern.matchAll(PIECE)) {
    const told = isClass ? inClass(node, piece) : outside(node, piece)
    if (isClass && piece === ']') isClass = false
    else if (!isClass && piece === '[') isClass = true
    out += told
  }
  return out
}

function outside(node: ASTNode, piece: string): string {
  if (piece === '.') return `[^${LINE_ENDS}]`
  if (piece === '\\s') return `[${SPACE}]`
  if (piece === '\\S') return `[^${SPACE}]`
  if (piece === '\\b' || piece === '\\B') return piece
  if (piece.startsWith('(?<')) return '('
  if (piece === '(?:') return piece
  if (piece === '(?') throw refusal(node, `a group that begins with "(?"`)
  if (piece === '[]' || piece === '[^]') throw refusal(node, piece)
  if (piece.startsWith('{') && piece.length > 1 && piece.match(/\d+/g)?.some(count => Number(count) > REPEAT_MAX)) {
    throw refusal(node, `more than ${REPEAT_MAX} repetitions`)
  }
  return escape(node, piece)
}

function inClass(node: ASTNode, piece: string): string {
  if (piece === '\\s') return SPACE
  if (piece === '\\S') throw refusal(node, '"\\S" between []')
  if (piece === '\\b') return '\\x{8}'
  // RE2 would begin a named class here: [[:alpha:]].
  if (piece === '[') return '\\['
  if (piece === '[]' || piece === '[^]') throw refusal(node, '"[" before "]" between []')
  if (piece.length > 1 && !piece.startsWith('\\')) return [...piece].map(character => inClass(node, character)).join('')
  return escape(node, piece)
}

function escape(node: ASTNode, piece: string): string {
  // JavaScript sees such a character as two.
  if (piece.codePointAt(0) as number > 0xffff) throw refusal(node, `"${piece}"`)
  if (!piece.startsWith('\\') || piece.length === 1) return piece
  if (/^\\[ux][0-9a-fA-F]+$/.test(piece)) return `\\x{${piece.slice(2)}}`
  const letter = piece.slice(1)
  if (letter === '0') return '\\x{0}'
  if ('dDwWtnvfr'.includes(letter)) return piece
  if (/[\w]/.test(letter) || letter.charCodeAt(0) > 126) throw refusal(node, `"${piece}"`)
  return `\\x{${letter.charCodeAt(0).toString(16)}}`
}

function refusal(node: ASTNode, what: string): FilterError {
  return untold(node, `a pattern with ${what}`)
}
