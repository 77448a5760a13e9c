/**
 * What lib/parquet/line-table.ts shares with wasm/shred*.ts. Plain numbers, read by AssemblyScript and TypeScript alike.
 */
/** A list that only grows: pieces of the arena, one behind the other. 16 bytes. */
export const VEC_HEAD = 0 // u32: first piece, 0 = none
export const VEC_AT = 4 // u32: where the next element is put
export const VEC_END = 8 // u32: end of the last piece

/** A leaf: what one column of Parquet holds of a row group. */
export const LEAF_DEFINITIONS = 0 // VEC of runs, u32: count << RUN_SHIFT | level
export const LEAF_REPETITIONS = 16 // VEC of runs
export const LEAF_VALUES = 32 // VEC of u32: address of an entry
export const LEAF_ENTRIES = 48 // VEC of entries
export const LEAF_DEFINITION = 64 // u32: the run that still grows; 0 = none
export const LEAF_REPETITION = 68 // u32: the same
export const LEAF_TABLE = 72 // u32: hash table of entries, u32 each
export const LEAF_MASK = 76 // u32: slots of it - 1
export const LEAF_ENTRY_COUNT = 80 // u32
export const LEAF_ENTRY_TEXT = 84 // u32: bytes of text of all entries
export const LEAF_COUNT = 88 // u32: values
export const LEAF_TEXT = 92 // u32: bytes of text of all values
export const LEAF_ROWS = 96 // u32: rows that it has levels for
export const LEAF_SLOTS = 100 // u32: levels
export const LEAF_KIND = 104 // what does not change with row groups: 4 bytes
export const LEAF_TYPE = 104 // u8: TYPE_*
export const LEAF_DEFINITION_MAX = 105 // u8
export const LEAF_REPETITION_MAX = 106 // u8
export const LEAF_IS_PLAIN = 120 // u8: values hardly repeat, and are not looked for any more
export const LEAF_LAST = 108 // u32: the entry of the last value of a flat leaf
export const LEAF_KEYS_LAST = 112 // u32: of keys of a map, the entries of those of the last row: KEYS_KEPT x u32, by their place
export const LEAF_VALUES_LAST = 116 // u32: of keys of a map, the entry of the last first value under each: KEYS_KEPT x u32, by the key's id
export const LEAF_COPIES = 124 // u32: of keys of a map, the leaf that each is copied to: KEYS_KEPT x u32, by the key's id; 0 = not known yet
export const LEAF_BYTES = 128
/** Keys of a map of which something is kept: the first ones. */
export const KEYS_KEPT = 256
export const RUN_SHIFT = 3

/** A value that was seen: its text stands in the line, or in the arena. */
export const ENTRY_START = 0 // u32
export const ENTRY_LENGTH = 4 // u32
export const ENTRY_HASH = 8 // u32
export const ENTRY_ID = 12 // u32: place in the dictionary
export const ENTRY_BYTES = 16

export const TYPE_TEXT = 0
export const TYPE_INT = 1
export const TYPE_DOUBLE = 2
export const TYPE_TIME = 3 // nanoseconds since 1970, in a line "2026-01-31T12:00:00.000000000Z"
export const TYPE_BOOL = 4

/** A column, at `columns + number * COLUMN_BYTES`: u32 address of its first leaf, u32 SHAPE_*; of a map of lists its copies, and how many. */
export const COLUMN_LEAF = 0
export const COLUMN_SHAPE = 4
export const COLUMN_COPIES = 8
export const COLUMN_COPY_COUNT = 12
export const COLUMN_BYTES = 16
/** A copy: the first value under a key of a map, in a flat leaf of its own. */
export const COPY_KEY = 0 // u32: address of its text
export const COPY_KEY_LENGTH = 4 // u32
export const COPY_LEAF = 8 // u32
export const COPY_BYTES = 12
/** What is kept for a key that has no copy. */
export const NO_COPY = 1
export const SHAPE_FLAT = 0
export const SHAPE_LIST = 1 // of values: one leaf
export const SHAPE_MAP = 2 // of text to one value: two leaves
export const SHAPE_LISTS = 3 // of text to a list of values: two leaves

/** What the shredder is given and gives, at `state`. */
export const SHRED_TABLE = 0 // u32: table of members, wasm/member-table.ts; a member is a column
export const SHRED_COLUMNS = 4 // u32: address of the columns
export const SHRED_LEAVES = 8 // u32: address of the first leaf; they stand one behind the other
export const SHRED_LEAF_COUNT = 12 // u32
export const SHRED_ARENA = 16 // u32
export const SHRED_ARENA_END = 20 // u32
export const SHRED_ROWS_MAX = 24 // u32: of a row group
export const SHRED_ROWS = 28 // u32: rows so far
export const SHRED_OUT = 32 // u32: where pages are written
export const SHRED_OUT_END = 36 // u32
// Of the last page of values that was written: of its leaf the least and the greatest; numbers stand there, of a text address and length.
export const SHRED_LEAST = 40 // 8 bytes
export const SHRED_GREATEST = 48 // 8 bytes
export const SHRED_STATE_BYTES = 64

/** A row group ends before so much of its arena is left: more than the longest line needs. */
export const ARENA_SPARE = 0x3000000
/** Result: it cannot be said what stands there, or there is no room. */
export const SHRED_ODD = -1
