/**
 * record: one line of a log as typed fields in shared memory (RECORD in wasm/layout.ts).
 *
 * In     a table of fields (dotted names, types), and values field by field.
 * Out    a reader for code (`RecordView`) and lines of JSON (`JsonEncoder`).
 *        Of a line: members found without parsing it, and the line without them (`MemberPicker`); its fields in another form (`FieldCopier`).
 * Limits 65,535 fields a table, 8 levels of names, 32,768 headers a value; what does not fit its room is refused whole.
 *
 * @module
 */
export { FactsTable } from './facts-table.ts'
export type { FactsTableOptions, RecordSpan } from './facts-table.ts'
export { FieldCopier } from './field-copier.ts'
export type { KnownField } from './field-copier.ts'
export { FieldTable, VALUE_TYPE } from './field-table.ts'
export type { FieldSpec, ValueTypeName } from './field-table.ts'
export { JSON_ROOM_SLACK, JsonEncoder } from './json-encoder.ts'
export { LINE_BYTES_MAX, LineArea } from './line-area.ts'
export type { Piece } from './line-area.ts'
export { lineMemory } from './line-memory.ts'
export { MemberPicker } from './member-picker.ts'
export { writeTable } from './member-table.ts'
export type { PickedMember } from './member-table.ts'
export { RecordView } from './record-view.ts'
export type { RecordValue } from './record-view.ts'
export { RecordWriter } from './record-writer.ts'
export type { HeaderText } from './record-writer.ts'
export { formatAddress, formatMac, formatTime } from './value-text.ts'
