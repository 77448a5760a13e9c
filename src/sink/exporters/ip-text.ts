const [QUOTE, DOT, COLON, ZERO, NINE, A, F] = [0x22, 0x2e, 0x3a, 0x30, 0x39, 0x61, 0x66]

/** Whether the JSON text in [start, end) is an address, as records have it, and not what privacy made of one. */
export function isIpText(u8: Uint8Array, start: number, end: number): boolean {
  if (u8[start] !== QUOTE || end - start < 4 || end - start > 47) return false
  for (let at = start + 1; at < end - 1; at++) {
    const code = u8[at] as number
    if (!((code >= ZERO && code <= NINE) || (code >= A && code <= F) || code === DOT || code === COLON)) return false
  }
  return true
}
