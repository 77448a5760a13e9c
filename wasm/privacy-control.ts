/** What src/privacy/wall.ts calls to set the wall up and to read its counters. */
export { setAddressKey, setAddressMode } from './anonymise'
export { holdsCredential, setCredentialTable, setSearchMemory, textMax } from './credential'
export {
  decisionNames, decisionsNotKept, decisionTablesCleared, linkDecisions, resetDecisions,
} from './header-decision'
export { cutTexts, hashedValues, hiddenValues, setHashing } from './redaction'
export { setHidesNeverIndexed } from './exchange-headers'
export { fieldChecks, writeRecordBehindWall } from './record-wall'
export { setNameTable } from './secret-name'
export { hmacSha256, setHmacKey, sha256 } from './sha256'
