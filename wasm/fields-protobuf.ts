/**
 * A field as a KeyValue of OpenTelemetry (opentelemetry/proto/common/v1/common.proto), with the tag that attributes have in a log record.
 * KeyValue: key = 1, value = 2. AnyValue: string 1, bool 2, int 3, double 4, array 5. ArrayValue: values = 1.
 */
import { TRAIT_DOUBLE } from './fields-contract'
import { hasRoom, list, noteField, out, setOut, text, varintBytes, writeByte, writeBytes, writeVarint } from './fields-output'
import { decimal, EXACT_DIGITS, readDouble } from './json-double'
import { readString, textEnd, textStart } from './json-scan'

const ATTRIBUTE: u32 = 0x32
const KEY: u32 = 0x0a
const VALUE: u32 = 0x12
const STRING: u32 = 0x0a
const BOOL: u32 = 0x10
const INT: u32 = 0x18
const DOUBLE: u32 = 0x21
const ARRAY: u32 = 0x2a
const ITEM: u32 = 0x0a
/** Digits that always fit 64 bits without a sign. */
const DIGITS_MAX: u32 = 19
const NULL: u32 = 0x6c6c756e
const TRUE: u32 = 0x65757274
const FALS: u32 = 0x736c6166

/** Tag, length, key; tag and length of the value. */
function beginField(path: usize, keyBytes: u32, valueBytes: u32): void {
  noteField()
  writeByte(ATTRIBUTE)
  writeVarint(1 + varintBytes(keyBytes) + keyBytes + 1 + varintBytes(valueBytes) + valueBytes)
  writeByte(KEY)
  writeVarint(keyBytes)
  writeBytes(path, keyBytes)
  writeByte(VALUE)
  writeVarint(valueBytes)
}

function writeString(from: usize, bytes: u32): void {
  writeByte(STRING)
  writeVarint(bytes)
  writeBytes(from, bytes)
}

function writeDouble(value: f64): void {
  writeByte(DOUBLE)
  store<f64>(out, value)
  setOut(out + 8)
}

/** null, true, false, or a number with an exponent, as an AnyValue; false = none of them. Of null one without a value. */
function writeWord(start: usize, length: u32): bool {
  const word = load<u32>(start)
  if (length == 4 && word == NULL) return true
  if (length == 4 && word == TRUE || length == 5 && word == FALS && load<u8>(start, 4) == 0x65) {
    writeByte(BOOL)
    writeByte(length == 4 ? 1 : 0)
    return true
  }
  const value = readDouble(start, length)
  if (isNaN(value)) return false
  writeDouble(value)
  return true
}

/** AnyValue of a number or word: the place behind it; 0 = it is none. */
function writeBare(start: usize, end: usize, isDouble: bool): usize {
  let whole: u64 = 0
  let digits: u32 = 0
  let behind: u32 = 0
  let isPoint = false
  let isOdd = false
  let at = start
  for (; at < end; at++) {
    const code = <u32>load<u8>(at)
    if (code - 0x30 < 10) {
      whole = whole * 10 + (code - 0x30)
      digits++
      if (isPoint) behind++
    } else if (code == 0x2c || (code | 0x20) == 0x7d) break
    else if (code == 0x2e && !isPoint) isPoint = true
    else if (code != 0x2d || at != start) isOdd = true
  }
  const length = <u32>(at - start)
  if (isOdd || digits == 0) return writeWord(start, length) ? at : 0
  const isNegative = load<u8>(start) == 0x2d
  if (isPoint || isDouble) {
    const size = digits <= EXACT_DIGITS ? decimal(whole, behind) : readDouble(start, length)
    writeDouble(isNegative && digits <= EXACT_DIGITS ? -size : size)
  } else if (digits > DIGITS_MAX || whole > <u64>i64.MAX_VALUE) {
    writeString(start, length) // no number of OTLP holds it
  } else {
    writeByte(INT)
    writeVarint(isNegative ? 0 - whole : whole)
  }
  return at
}

/** The place behind a list, whose values then stand in the room for them up to `out`; 0 = it is none, or not of texts, numbers and words. */
function writeItems(start: usize, end: usize): usize {
  let at = start + 1
  while (load<u8>(at) != 0x5d) {
    if (at >= end) return 0
    writeByte(ITEM)
    if (load<u8>(at) == 0x22) {
      const behind = readString(at, end, text)
      if (behind == 0) return 0
      const bytes = <u32>(textEnd - textStart)
      writeVarint(1 + varintBytes(bytes) + bytes)
      writeString(textStart, bytes)
      at = behind
    } else {
      const item = out++
      at = writeBare(at, end, false)
      if (at == 0) return 0
      const bytes = <u32>(out - item - 1)
      if (bytes > 0x7f) return 0 // a number of more than a hundred digits
      store<u8>(item, <u8>bytes)
    }
    if (load<u8>(at) == 0x2c) at++
    else if (load<u8>(at) != 0x5d) return 0
  }
  return at + 1
}

function listField(path: usize, keyBytes: u32, start: usize, end: usize): usize {
  const to = out
  setOut(list)
  const behind = writeItems(start, end)
  const bytes = <u32>(out - list)
  setOut(to)
  if (behind == 0 || !hasRoom(keyBytes + bytes)) return 0
  beginField(path, keyBytes, 1 + varintBytes(bytes) + bytes)
  writeByte(ARRAY)
  writeVarint(bytes)
  writeBytes(list, bytes)
  return behind
}

function textField(path: usize, keyBytes: u32, start: usize, end: usize): usize {
  const behind = readString(start, end, text)
  if (behind == 0) return 0
  const bytes = <u32>(textEnd - textStart)
  if (!hasRoom(keyBytes + bytes)) return 0
  beginField(path, keyBytes, 1 + varintBytes(bytes) + bytes)
  writeString(textStart, bytes)
  return behind
}

/** The place behind the value at `start`; 0 = it is none, or there is no room. */
export function protobufField(path: usize, length: u32, traits: u32, start: usize, end: usize): usize {
  const first = load<u8>(start)
  if (first == 0x22) return textField(path, length, start, end)
  if (first == 0x5b) return listField(path, length, start, end)
  const to = out
  setOut(list)
  const behind = writeBare(start, end, (traits & TRAIT_DOUBLE) != 0)
  const bytes = <u32>(out - list)
  setOut(to)
  if (behind == 0 || !hasRoom(length + bytes)) return 0
  beginField(path, length, bytes)
  writeBytes(list, bytes)
  return behind
}
