/** Numbers of JSON as doubles. */

/** Digits of a whole number that a double holds exactly, whichever they are. */
export const EXACT_DIGITS: u32 = 15
const POWERS = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15])

/** The number of JSON at `at`, to the nearest double; NaN = it is none. For those that take more than a division. */
// @ts-ignore: decorator
@external("env", "readDouble")
export declare function readDouble(at: usize, length: u32): f64

/**
 * `whole` with so many of its digits behind the point, EXACT_DIGITS at most of both: they and the power are exact, so that the quotient is the
 * double that is nearest to the text (Clinger).
 */
export function decimal(whole: u64, behind: u32): f64 {
  return <f64>whole / load<f64>(POWERS + behind * 8)
}
