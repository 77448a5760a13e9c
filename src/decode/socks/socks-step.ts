/** The steps of the two handshakes (RFC 1928, RFC 1929, and SOCKS 4 with its 4A), each as a function of the bytes at hand. */

/** What a step makes of its bytes. */
export interface Step {
  /** Bytes of the message; 0 = it is not all there. */
  readonly size: number
  readonly next: SocksState
}

/** Whose turn it is, by what comes next. */
export type SocksState =
  | 'start' | 'request4' | 'reply4' | 'greeting' | 'method' | 'password' | 'password reply' | 'request' | 'reply' | 'open' | 'refused' | 'malformed'

const MORE = (state: SocksState): Step => ({ size: 0, next: state })
const CONNECT = 1
const NO_AUTHENTICATION = 0
const PASSWORD = 2
const GRANTED4 = 0x5a
/** User ids and host names of SOCKS 4 have no length of their own. */
const TEXT_BYTES_MAX = 512

/** Whether the client speaks in this state. */
export function isClientTurn(state: SocksState): boolean {
  return state === 'start' || state === 'request4' || state === 'greeting' || state === 'password' || state === 'request'
}

export function step(state: SocksState, bytes: Uint8Array): Step {
  switch (state) {
    case 'start':
      return bytes.length === 0 ? MORE(state) : { size: 0, next: bytes[0] === 4 ? 'request4' : 'greeting' }
    case 'request4':
      return request4(bytes)
    case 'reply4':
      return bytes.length < 8 ? MORE(state) : { size: 8, next: bytes[1] === GRANTED4 ? 'open' : 'refused' }
    case 'greeting':
      return bytes.length < 2 || bytes.length < 2 + bytes[1]! ? MORE(state) : { size: 2 + bytes[1]!, next: 'method' }
    case 'method':
      return bytes.length < 2 ? MORE(state) : { size: 2, next: afterMethod(bytes) }
    case 'password':
      return password(bytes)
    case 'password reply':
      return bytes.length < 2 ? MORE(state) : { size: 2, next: bytes[1] === 0 ? 'request' : 'refused' }
    case 'request':
      return withAddress(state, bytes, bytes[1] === CONNECT ? 'reply' : 'refused')
    case 'reply':
      return withAddress(state, bytes, bytes[1] === 0 ? 'open' : 'refused')
    default:
      return MORE(state)
  }
}

/** SOCKS 4: version, command, port, address, user id, NUL; in 4A, with the address 0.0.0.x, a host name and NUL. */
function request4(bytes: Uint8Array): Step {
  const next: SocksState = bytes[1] === CONNECT ? 'reply4' : 'refused'
  const end = bytes.length < 9 ? -1 : bytes.indexOf(0, 8)
  if (end < 0) return bytes.length > 8 + TEXT_BYTES_MAX ? { size: 0, next: 'malformed' } : MORE('request4')
  if (bytes[4] !== 0 || bytes[5] !== 0 || bytes[6] !== 0 || bytes[7] === 0) return { size: end + 1, next }
  const hostEnd = bytes.indexOf(0, end + 1)
  if (hostEnd >= 0) return { size: hostEnd + 1, next }
  return bytes.length > end + TEXT_BYTES_MAX ? { size: 0, next: 'malformed' } : MORE('request4')
}

function afterMethod(bytes: Uint8Array): SocksState {
  if (bytes[0] !== 5) return 'malformed'
  if (bytes[1] === NO_AUTHENTICATION) return 'request'
  return bytes[1] === PASSWORD ? 'password' : 'refused'
}

/** RFC 1929 2. */
function password(bytes: Uint8Array): Step {
  const user = bytes[1] ?? 0
  const size = 3 + user + (bytes[2 + user] ?? 0)
  return bytes.length < 3 + user || bytes.length < size ? MORE('password') : { size, next: 'password reply' }
}

/** RFC 1928 4 and 6: version, command or reply, 0, type of address, address, port. */
function withAddress(state: SocksState, bytes: Uint8Array, next: SocksState): Step {
  if (bytes.length < 5) return MORE(state)
  if (bytes[0] !== 5) return { size: 0, next: 'malformed' }
  const address = bytes[3] === 1 ? 4 : bytes[3] === 4 ? 16 : bytes[3] === 3 ? 1 + bytes[4]! : -1
  if (address < 0) return { size: 0, next: 'malformed' }
  const size = 6 + address
  return bytes.length < size ? MORE(state) : { size, next }
}
