/**
 * What the wall calls in the byte module (wasm/privacy-control.ts, record-wall.ts, exchange.ts). Pointers are
 * addresses.
 */
export interface WallExports {
  linkDecisions(): number
  resetDecisions(seed: number, limit: number): void
  decisionNames(): number
  decisionsNotKept(): number
  decisionTablesCleared(): number
  textMax(): number
  setSearchMemory(mask: number, percent: number, base64: number, spans: number, counters: number): void
  setCredentialTable(pointer: number, custom: number, cards: number): void
  setNameTable(pointer: number): void
  holdsCredential(pointer: number, length: number): number
  setHashing(on: number): void
  setHidesNeverIndexed(on: number): void
  setHmacKey(pointer: number, length: number): void
  setAddressMode(mode: number, bits4: number, bits6: number): void
  setAddressKey(pointer: number): void
  hiddenValues(): number
  hashedValues(): number
  cutTexts(): number
  /** 512 FIELD_* by field id. */
  fieldChecks(): number
  /** One byte per field id, 1 = goes into the records of exchanges. */
  chosenFields?(): number
  writeRecordBehindWall(raw: number, out: number, room: number): number
  writeExchange(exchange: number, out: number, room: number): number
}
