/** Nobody's window is larger (RFC 7323 2.3). */
const WINDOW_MAX = 2 ** 30
/**
 * No sequence number nearer than this is doubted, whatever the window scale says: kernels grow their buffers.
 */
const NEAR_BYTES = 64 * 1024 * 1024

/**
 * True when a segment lies further from where its stream stands than any window reaches.
 *
 * @param ahead     bytes from there to its first byte
 * @param length    its bytes
 * @param skipLeft  bytes of the stream that are still to be left out
 * @param scale     window scale of its sender, over 14 = not known
 * @param peerScale the same of its receiver, whose window counts
 */
export function isBeyondWindow(ahead: number, length: number, skipLeft: number, scale: number, peerScale: number): boolean {
  if (ahead <= NEAR_BYTES && ahead >= -NEAR_BYTES) return false
  const isScaled = peerScale <= 14 && scale <= 14
  const window = isScaled ? Math.max(65535 * 2 ** peerScale, NEAR_BYTES) : WINDOW_MAX
  return ahead > Math.min(window + skipLeft, 0x7fffffff - length) || ahead + length < -window
}
