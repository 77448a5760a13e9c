/**
 * Names of the ODDITY_* bits (wasm/layout.ts), as records show them: the name's index is the bit's number.
 */
export const ODDITY_NAMES = [
  'bare_lf',
  'bare_cr',
  'obs_fold',
  'space_before_colon',
  'length_and_chunked',
  'length_repeated',
  'length_differs',
  'length_invalid',
  'coding_unknown',
  'name_invalid',
  'value_invalid',
  'line_invalid',
  'host_missing',
  'host_repeated',
  'start_line',
  'chunk_size',
  'headers_over_bound',
  'target_invalid',
  'pseudo_header',
  'connection_field',
  'host_differs',
] as const
export type OddityName = (typeof ODDITY_NAMES)[number]

/** The names of the bits set in `oddities`, lowest bit first. */
export function oddityNames(oddities: number): OddityName[] {
  return ODDITY_NAMES.filter((_, index) => (oddities & (1 << index)) !== 0)
}
