/**
 * What an HTTP/1 connection knows that is at rest: a row of a RowTable. Offsets in bytes. What is not here is the same in every
 * connection at rest (Http1Connection, `isQuiet`), or is set anew before it is asked for.
 */
export const REST_BYTES = 64
export const REST_END_TIME = 0 // f64: of ClientHabit, like all that follow
export const REST_SHORTEST = 8 // f64
export const REST_ODDS = 16 // f64
export const REST_REQUEST_ACKNOWLEDGEMENT = 24 // i32
export const REST_RESPONSE_ACKNOWLEDGEMENT = 28 // i32
export const REST_END = 32 // i32
export const REST_TURNS = 36 // u32
export const REST_FINALS = 40 // u32
export const REST_ODDS_TURNS = 44 // u32
export const REST_NEXT = 48 // u32: of Pairing, the number of the next exchange
export const REST_CLEAN = 52 // u32: of Pairing
export const REST_HABIT = 56 // u8: place in HABITS
export const REST_FLAGS = 57 // u8: REST_FLAG
export const REST_FLAG = { isWhole: 1, isServerTorn: 2 } as const
export const REST_IS_COUNTED = 58 // u8: of Pairing
export const REST_CLIENT = 59 // u8: side of the client
