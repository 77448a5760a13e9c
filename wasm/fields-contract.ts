/**
 * What lib/record/field-copier.ts shares with wasm/fields.ts. Plain numbers, read by AssemblyScript and TypeScript alike.
 */
// The room that a copy works in: addresses and sizes.
export const ROOM_PATH = 0 // u32: as long as a line
export const ROOM_TEXT = 4 // u32: as long as a line
export const ROOM_LIST = 8 // u32: LIST_GROWTH times a line
export const ROOM_TAGS = 12 // u32: as long as a line
export const ROOM_OUT = 16 // u32
export const ROOM_LIMIT = 20 // u32: behind the out
export const ROOM_BYTES = 24
/** The values of a list take no more than so many times what they took as JSON: `1,` becomes four bytes. */
export const LIST_GROWTH = 3
// The table of fields that are known by name: a hash table, open addressing.
export const FIELDS_MASK = 0 // u32: slots - 1; slots are a power of two, more than the fields
export const FIELDS_COUNT = 4 // u32: fields
export const FIELDS_SPANS = 8 // u32: address of the spans, SPAN_* of pick-contract.ts
export const FIELDS_SLOTS = 16 // u32 x slots: address of a field, 0 = free
// A field that is known by name.
export const FIELD_NAME = 0 // u32: address of the name with its dots
export const FIELD_LENGTH = 4 // u16
export const FIELD_TRAITS = 6 // u16: TRAIT_*
export const FIELD_NUMBER = 8 // u32: place in the spans
export const FIELD_BYTES = 12
export const TRAIT_APART = 1 // only told where it is, not copied
export const TRAIT_DOUBLE = 2 // a number of seconds: whole ones too are doubles
export const TRAIT_JSON = 4 // an object stays JSON text, what is in it is no field

// What the fields become.
export const TARGET_PROTOBUF = 0 // KeyValue of OpenTelemetry
export const TARGET_LINE = 1 // fields of InfluxDB's line protocol
/** Objects inside each other, at most. */
export const FIELDS_DEPTH_MAX = 32
/** Result of copyFields: the line is no record in the encoder's form, or what it becomes is too long. */
export const FIELDS_ODD = -1
