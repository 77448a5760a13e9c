/** A line begins with the first of docs/fields.md that are logged: `kind`, then `time`. No text of a record can look so: quotes in it are escaped. */
const TIME = /^\{(?:"kind":"[a-z]+",)?"time":"([0-9T:.-]{19,29}Z)"/
const LOOK_BYTES = 80

/** The record's `time` as text, in UTC with nanoseconds; undefined where that field is not logged. */
export function timeText(line: Buffer): string | undefined {
  return TIME.exec(line.toString('latin1', 0, LOOK_BYTES))?.[1]
}

let lastSecond = ''
let lastMs = 0

/** Milliseconds since the epoch of a time's second; most have that of the record before. */
function secondMs(text: string): number {
  const second = text.slice(0, 19)
  if (second !== lastSecond) {
    lastMs = Date.parse(`${second}Z`)
    lastSecond = second
  }
  return lastMs
}

/** The same in milliseconds since the epoch. */
export function timeMs(line: Buffer): number | undefined {
  const text = timeText(line)
  return text === undefined ? undefined : secondMs(text) + Number(`0${text.slice(19, -1)}`) * 1000
}

/** The same in nanoseconds since the epoch, as ten digits at least, behind a minus before 1970. */
export function timeNanoseconds(line: Buffer): string | undefined {
  const text = timeText(line)
  if (text === undefined) return undefined
  const seconds = secondMs(text) / 1000
  const fraction = text.slice(20, -1).padEnd(9, '0')
  if (seconds >= 0) return `${seconds}${fraction}`
  return `-${String(-BigInt(seconds) * 1_000_000_000n - BigInt(fraction)).padStart(10, '0')}`
}
