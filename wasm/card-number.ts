/**
 * Payment card numbers: 13 to 19 digits, single spaces or dashes between them, an issuer's first digits and a
 * right check digit (ISO/IEC 7812-1, Luhn).
 */
import { charClass } from './char-class'
import { markSecret } from './hidden-mask'
import { CHAR_ALNUM, CHAR_DIGIT } from './wall-numbers'

const LEAST: u32 = 13
const MOST: u32 = 19

function luhn(from: usize, to: usize): bool {
  let sum: u32 = 0
  let double = false
  for (let p = to; p > from; ) {
    p--
    const c = <u32>load<u8>(p)
    if (c < 48 || c > 57) continue
    let digit = c - 48
    if (double) {
      digit <<= 1
      if (digit > 9) digit -= 9
    }
    sum += digit
    double = !double
  }
  return sum % 10 == 0
}

/** First digits that card issuers use: 2 to 6, with 2 only as 22 to 27 and 3 not as 31 to 33. */
function isIssuer(at: usize): bool {
  const first = <u32>load<u8>(at) - 48
  const second = <u32>load<u8>(at + 1) - 48
  if (first == 2) return second >= 2 && second <= 7
  if (first == 3) return second == 0 || second >= 4
  return first >= 4 && first <= 6
}

/** Hides the card numbers between `start` and `end`. */
export function searchCards(start: usize, end: usize): void {
  let p = start
  while (p < end) {
    if ((charClass(p) & CHAR_DIGIT) == 0) {
      p++
      continue
    }
    const from = p
    let digits: u32 = 0
    let last = p
    while (p < end) {
      const c = <u32>load<u8>(p)
      if ((charClass(p) & CHAR_DIGIT) != 0) {
        digits++
        p++
        last = p
      } else if ((c == 32 || c == 45) && p + 1 < end && (charClass(p + 1) & CHAR_DIGIT) != 0) {
        p++
      } else {
        break
      }
    }
    const alone = from == start || (charClass(from - 1) & CHAR_ALNUM) == 0
    if (alone && digits >= LEAST && digits <= MOST && isIssuer(from) && luhn(from, last)) markSecret(from,
      last)
  }
}
