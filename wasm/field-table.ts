/**
 * Layout of a field table in shared memory: what an encoder needs of each field, made by lib/record/field-table.ts.
 * Plain numbers, read by AssemblyScript and TypeScript alike.
 */
export const TABLE_FIELD_COUNT = 0 // u32: fields; ids are 1 .. count
export const TABLE_REASON_COUNT = 4 // u32
export const TABLE_REASONS = 8 // u32: REASON_BYTES x count, by reason id - 1
export const TABLE_FIELDS = 16 // FIELD_BYTES x (count + 1), by field id
export const FIELD_BYTES = 128
export const FIELD_DEPTH = 0 // u8: segments of the name, at most FIELD_DEPTH_MAX
export const FIELD_TYPE = 1 // u8: TYPE_*
export const FIELD_PATH_LENGTH = 2 // u16
export const FIELD_PATH = 4 // u32: text `"a":{"b":{"c":`
export const FIELD_NAME = 8 // u32: text `"a.b.c":`
export const FIELD_NAME_LENGTH = 12 // u16
export const FIELD_SHARED = 14 // u8: groups that it shares with the field before it in the table
export const FIELD_LEVELS = 16 // 8 x u16: where segment k begins in the path text
export const FIELD_GROUPS = 32 // 8 x u16: number of the group that the first k + 1 segments name
export const FIELD_DEPTH_MAX = 8
// What the encoder wrote last between another field's value and this one's: braces, comma, path. It fills these in itself.
export const FIELD_JOINT = 64 // u32: (id of the field before, 0 = it is the first, + 1) << 8 | bytes of the text; 0 = none
export const FIELD_JOINT_TEXT = 72 // the text
export const FIELD_JOINT_MAX = 56
export const REASON_BYTES = 8 // u32 pointer, u32 length: text with its quotes, as JSON
