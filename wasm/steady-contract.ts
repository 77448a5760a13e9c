/** What callers of wasm/steady.ts share with it: where `runSteady` tells what it did. Plain numbers, read by both languages. */
export const STEADY_INFO_EXCHANGE = 0 // u32: EXCHANGE block of a turn that ended, 0 = none did
export const STEADY_INFO_DELIVERED = 4 // u32: payload bytes of the packets taken, those of TLS sessions aside
export const STEADY_INFO_PACKETS = 8 // u32: events taken
export const STEADY_INFO_TIME = 16 // f64: newest time of the events taken, nanoseconds in the source's clock
export const STEADY_INFO_BYTES = 24
/** Requests that are longer than this go the plain path: the room for one that comes back from the steady path. */
export const STEADY_REQUEST_BYTES_MAX = 65536
