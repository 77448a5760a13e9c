/** @throws {RangeError} when `target` has no `length` bytes at `offset` */
export function requireRoom(target: Uint8Array, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= target.length) return
  throw new RangeError(`Cannot read ${length} bytes to offset ${offset}: the target has ${target.length} bytes`)
}

/** What a reader of the buffer `name` throws when its next record alone needs `recordBytes`, more than `length`. */
export function recordTooLong(name: string, length: number, recordBytes: number): RangeError {
  return new RangeError(`Cannot read the next record of "${name}" into ${length} bytes: it has ${recordBytes}`)
}
