/**
 * Sec-WebSocket-Protocol: scripts in browsers can set no header but this one, so they carry tokens in it, as
 * an item behind one that says so (`bearer, TOKEN`) or behind a dot
 * (`base64url.bearer.authorization.k8s.io.TOKEN`).
 */
import { writeSearched } from './credential'
import { hide, pass } from './redaction'
import { NAME_PLAIN, secretName } from './secret-name'

const K8S: u64 = 0x2e6f692e73386b // "k8s.io."

// @ts-ignore: decorator
@inline
function isSpace(c: u32): bool {
  return c == 32 || c == 9
}

/** Length of the beginning of an item, its dot included, that names what follows as secret; 0 = none. */
function secretPrefix(from: usize, to: usize): usize {
  for (let p = from + 1; p < to; p++) {
    if (load<u8>(p) != 46 || secretName(from, (p - from) as u32) == NAME_PLAIN) continue
    const rest = p + 1
    return (to - rest > 7 && (load<u64>(rest) & 0xffffffffffffff) == K8S ? rest + 7 : rest) - from
  }
  return 0
}

/** Hides items behind one that is the name of something secret, and what follows such a name and a dot. */
export function writeProtocols(value: usize, length: u32): void {
  const end = value + length
  let secret = false
  let p = value
  while (p < end) {
    const before = p
    while (p < end && (load<u8>(p) == 44 || isSpace(load<u8>(p)))) p++
    pass(before, (p - before) as u32)
    const from = p
    while (p < end && load<u8>(p) != 44) p++
    let to = p
    while (to > from && isSpace(load<u8>(to - 1))) to--
    if (to == from) continue
    const known: usize = secret ? 0 : secretPrefix(from, to)
    if (secret) {
      hide(from, (to - from) as u32)
    } else if (known != 0) {
      pass(from, known as u32)
      if (from + known < to) hide(from + known, (to - from - known) as u32)
    } else {
      writeSearched(from, (to - from) as u32, false)
    }
    secret = secret || secretName(from, (to - from) as u32) != NAME_PLAIN
    pass(to, (p - to) as u32)
  }
}
