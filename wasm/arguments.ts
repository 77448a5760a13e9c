/**
 * The command line of a process: arguments with a NUL between them, shown with spaces. Besides what every text is searched for,
 * it hides what only its place says is secret: the argument behind `--password`, the rest of `--token=`, the password in
 * `-u user:password`, header lines, cookies, and what some programs take behind one letter. An argument with spaces (`sh -c
 * "..."`) is looked at word by word too.
 */
import { writeSearchedWith } from './credential'
import { headerAction } from './header-decision'
import { beginText, endText, hide } from './redaction'
import { NAME_PLAIN, NAME_WEAK, secretName } from './secret-name'
import { ACTION_HOST, ACTION_KEEP, ACTION_PRODUCTS } from './wall-numbers'

const LINE_MAX: u32 = 8192
const SPANS_MAX: u32 = 256
const NAME_MAX: u32 = 64
const WORDS_MAX: u32 = 4096

const SPACE: u32 = 32
const QUOTE: u32 = 34
const PERCENT: u32 = 37
const APOSTROPHE: u32 = 39
const DASH: u32 = 45
const SLASH: u32 = 47
const COLON: u32 = 58
const EQUALS: u32 = 61

const line: usize = memory.data(8192 + 16)
const spans: usize = memory.data(256 * 8)
const lowered: usize = memory.data(64)
let spanCount: u32 = 0
let lineEnd: usize = 0

/** What the word before has said of this one. */
const NOTHING: u32 = 0
const SECRET: u32 = 1
const SECRET_UNLESS_PATH: u32 = 2
const USER: u32 = 3
const COOKIE: u32 = 4
const HEADER: u32 = 5

function hideSpan(from: usize, to: usize): void {
  if (from >= to) return
  if (spanCount >= SPANS_MAX) {
    // No more room to remember: all that follows the last one is hidden.
    store<u32>(spans + (SPANS_MAX - 1) * 8, lineEnd as u32, 4)
    return
  }
  store<u32>(spans + spanCount * 8, from as u32)
  store<u32>(spans + spanCount * 8, to as u32, 4)
  spanCount++
}

function find(from: usize, to: usize, byte: u32): usize {
  let p = from
  while (p < to && <u32>load<u8>(p) != byte) p++
  return p
}

// @ts-ignore: decorator
@inline
function isTokenByte(c: u32): bool {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c == DASH || c == 95
}

/** Whether the word from `from` is `text`, all of it. */
function isWord(from: usize, to: usize, text: string): bool {
  if (<i32>(to - from) != text.length) return false
  for (let i = 0; i < text.length; i++) if (<i32>load<u8>(from + i) != text.charCodeAt(i)) return false
  return true
}

function beginsWith(from: usize, to: usize, text: string): bool {
  return <i32>(to - from) >= text.length && isWord(from, from + text.length, text)
}

/** A value that is a file is no secret itself: `--key /etc/ssl/key.pem`. */
function isPath(from: usize, to: usize): bool {
  const c = from < to ? <u32>load<u8>(from) : 0
  return c == SLASH || c == 46 || c == 126 || c == 64
}

/** `name: value` whose name is that of a header that is not shown. `from` is where the name begins. */
function hideHeader(from: usize, to: usize): void {
  let p = from
  while (p < to && isTokenByte(load<u8>(p))) p++
  const length = (p - from) as u32
  if (length < 2 || length > NAME_MAX || p + 1 >= to || load<u8>(p) != COLON || load<u8>(p + 1) == SLASH) return
  for (let i: u32 = 0; i < length; i++) {
    const c = <u32>load<u8>(from + i)
    store<u8>(lowered + i, (c >= 65 && c <= 90 ? c | 32 : c) as u8)
  }
  const action = headerAction(lowered, length, 0, 0)
  if (action == ACTION_KEEP || action == ACTION_HOST || action == ACTION_PRODUCTS) return
  p++
  while (p < to && load<u8>(p) == SPACE) p++
  hideSpan(p, to)
}

/** What stands behind the colon of `user:password` (behind `%` for Samba's programs). */
function hidePassword(from: usize, to: usize): void {
  const colon = min(find(from, to, COLON), find(from, to, PERCENT))
  if (colon < to) hideSpan(colon + 1, to)
}

function apply(what: u32, from: usize, to: usize): void {
  if (what == SECRET || (what == SECRET_UNLESS_PATH && !isPath(from, to))) hideSpan(from, to)
  else if (what == USER) hidePassword(from, to)
  else if (what == COOKIE && find(from, to, EQUALS) < to) hideSpan(from, to)
  else if (what == HEADER) hideHeader(from, to)
}

/** What an option's name says of its value; `name` is without the dashes in front. */
function meaningOf(name: usize, end: usize): u32 {
  if (isWord(name, end, 'user') || isWord(name, end, 'proxy-user') || isWord(name, end, 'login')) return USER
  if (isWord(name, end, 'cookie')) return COOKIE
  if (isWord(name, end, 'header') || isWord(name, end, 'proxy-header')) return HEADER
  if (end - name < 3 || <u32>(end - name) > NAME_MAX) return NOTHING
  const verdict = secretName(name, (end - name) as u32)
  return verdict == NAME_PLAIN ? NOTHING : verdict == NAME_WEAK ? SECRET_UNLESS_PATH : SECRET
}

/** What one letter says of its value, for every program: curl's, and those that took after it. */
function meaningOfLetter(letter: u32): u32 {
  if (letter == 117 || letter == 85 || letter == 69) return USER // u, U, E
  if (letter == 98) return COOKIE // b
  return letter == 72 ? HEADER : NOTHING // H
}

/** The letter that a password stands behind; 0 = none is known of the program. */
function passwordLetter(program: usize, end: usize): u32 {
  if (beginsWith(program, end, 'mysql') || beginsWith(program, end, 'mariadb') || beginsWith(program, end, 'mongo')
    || isWord(program, end, 'sshpass') || beginsWith(program, end, '7z')) return 112 // p
  if (beginsWith(program, end, 'redis-cli') || beginsWith(program, end, 'valkey-cli')) return 97 // a
  if (beginsWith(program, end, 'ldap')) return 119 // w
  if (isWord(program, end, 'zip') || isWord(program, end, 'unzip') || isWord(program, end, 'sqlcmd')) return 80 // P
  return 0
}

/** One word; returns what it says of the next. */
function judge(from: usize, to: usize, letter: u32): u32 {
  let name = from
  while (name < to && load<u8>(name) == DASH) name++
  const dashes = name - from
  const equals = find(name, to, EQUALS)
  if (dashes == 1 && name < to) {
    const c = <u32>load<u8>(name)
    const meaning = c == letter ? SECRET : meaningOfLetter(c)
    if (name + 1 == to) {
      // mysql's -p alone asks for the password: what follows is something else.
      return meaning
    }
    if (meaning == SECRET || (meaning != NOTHING && equals == to) || meaning == HEADER) {
      apply(meaning, name + 1, to)
      return NOTHING
    }
  }
  if (equals < to) {
    let nameEnd = equals
    while (nameEnd > name && load<u8>(nameEnd - 1) == COLON) nameEnd--
    let isName = nameEnd > name
    for (let p = name; p < nameEnd; p++) if (!isTokenByte(load<u8>(p)) && load<u8>(p) != 46) isName = false
    if (isName) {
      const meaning = meaningOf(name, nameEnd)
      if (dashes != 0 || meaning == SECRET) apply(meaning, equals + 1, to)
      if (meaning != NOTHING) return NOTHING
    }
  }
  if (dashes == 0) hideHeader(from, to)
  return dashes != 0 && equals == to ? meaningOf(name, to) : NOTHING
}

/** The end of a word in quotes, or of the word. */
function wordEnd(from: usize, to: usize): usize {
  const quote = <u32>load<u8>(from)
  if (quote != QUOTE && quote != APOSTROPHE) return find(from, to, SPACE)
  return min(find(from + 1, to, quote) + 1, to)
}

/** The words of one argument, as a shell would take them. */
function judgeWords(from: usize, to: usize): void {
  let before: u32 = NOTHING
  let letter: u32 = 0
  let left = WORDS_MAX
  for (let p = from; p < to && left > 0; left--) {
    if (load<u8>(p) == SPACE) {
      p++
      continue
    }
    const end = wordEnd(p, to)
    let first = p
    let last = end
    while (first < last && (load<u8>(first) == QUOTE || load<u8>(first) == APOSTROPHE)) first++
    while (last > first && (load<u8>(last - 1) == QUOTE || load<u8>(last - 1) == APOSTROPHE)) last--
    const program = passwordLetter(baseOf(first, last), last)
    if (program != 0) letter = program
    apply(before, first, last)
    before = judge(first, last, letter)
    p = end
  }
}

function baseOf(from: usize, to: usize): usize {
  let p = to
  while (p > from && load<u8>(p - 1) != SLASH) p--
  return p
}

/** Writes a command line; at most 4 * length + 160 bytes, as every `write*` of privacy.ts. */
export function writeArguments(text: usize, length: u32, out: usize): u32 {
  beginText(out)
  if (length == 0) return 0
  if (length > LINE_MAX) {
    hide(text, length)
    return endText()
  }
  spanCount = 0
  lineEnd = line + length
  memory.copy(line, text, length)
  const letter = passwordLetter(baseOf(line, find(line, lineEnd, 0)), find(line, lineEnd, 0))
  let before: u32 = NOTHING
  for (let p = line; p < lineEnd; ) {
    const end = find(p, lineEnd, 0)
    apply(before, p, end)
    before = judge(p, end, letter)
    if (find(p, end, SPACE) < end) judgeWords(p, end)
    p = end + 1
  }
  for (let p = line; p < lineEnd; p++) if (load<u8>(p) == 0) store<u8>(p, SPACE as u8)
  writeSearchedWith(line, length, spans, spanCount)
  return endText()
}
