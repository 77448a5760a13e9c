/**
 * What src/decode/body shares with wasm/body-*.ts: the state of one body that is read for a few members of its JSON. Plain numbers,
 * read by AssemblyScript and TypeScript alike.
 */
export const BODY_STATE = 0 // u8: STATE_*
export const BODY_FLAGS = 1 // u8: BODY_EVENTS, BODY_ESCAPED, BODY_LONG
export const BODY_DEPTH = 2 // u8: objects open that hold members asked for
export const BODY_TARGET = 3 // u8: what becomes of the value at hand (wasm/body-names.ts)
export const BODY_NODES = 4 // 4 x u8: which objects these are
export const BODY_NESTED = 8 // u32: brackets open in a value that is passed over; of a line its bytes that are as they should be
export const BODY_TEXT_LENGTH = 12 // u32: bytes of the name or text at hand
export const BODY_MODEL_LENGTH = 16 // u32: bytes of the text found, BODY_NO_TEXT = none
export const BODY_FOUND = 20 // u32: bits by COUNT_*
export const BODY_NUMBER = 24 // f64: number at hand; -1 = it is no count
export const BODY_COUNTS = 32 // f64 by COUNT_*
export const BODY_MODEL = 104 // BODY_TEXT_MAX bytes, and room for copies in steps of 16
export const BODY_TEXT = 376
export const BODY_BYTES = 648

export const BODY_EVENTS = 1 // the body is a stream of events (text/event-stream), one JSON text a line of data
export const BODY_ESCAPED = 2 // there is a backslash in the name or text at hand
export const BODY_LONG = 4 // a text that was asked for is longer than is kept

/** Bytes of a text between its quotes; a longer one is left out. */
export const BODY_TEXT_MAX = 256
export const BODY_NO_TEXT = 0xffffffff
/** Objects within each other that hold members asked for. */
export const BODY_DEPTH_MAX = 4

// Counts, by what their senders mean by them.
export const COUNT_PROMPT = 0 // input tokens, those from a cache among them
export const COUNT_INPUT = 1 // input tokens without those that COUNT_CACHE_READ and COUNT_CACHE_WRITE tell
export const COUNT_OUTPUT = 2
export const COUNT_CACHED = 3 // of the input tokens: from a cache
export const COUNT_CACHE_READ = 4 // beside COUNT_INPUT, or among COUNT_PROMPT: from a cache
export const COUNT_CACHE_WRITE = 5 // the same: into a cache
export const COUNT_REASONING = 6 // of the output tokens: for reasoning
export const COUNT_THOUGHTS = 7 // beside COUNT_OUTPUT: for reasoning
export const COUNT_COUNT = 8
