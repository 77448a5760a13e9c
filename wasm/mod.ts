/**
 * The byte work of Lintel in AssemblyScript: one module, one memory, shared with TypeScript (lib/bytes).
 * No object lives here: every function takes and gives pointers into the memory (see each file's layout).
 */
export * from './allocator'
export * from './json'
export { setHeaderSeed } from './json-headers'
export { headInfo, scanHead } from './head'
export { decodeBlock, hpackInfo } from './hpack'
export { closeHpackTable, loseHpackTable, openHpackTable } from './hpack-table'
export { nameId } from './names'
export { scanStart } from './start-line'
export { joinPieces, pickMembers } from './pick'
export * from './privacy'
export * from './privacy-control'
export { isGrpcHead } from './exchange-rpc'
export { setClockZero, setOddityName, writeExchange } from './exchange'
export { setProtocolName } from './exchange-message'
export { chosenFields, setRecordInt } from './record'
export { setTrusted } from './client-address'
export { clearInterfaceNames, setInterfaceName } from './interface-names'
export { closeTurn, runSteady, steadyInfo, steadyRequest } from './steady'
export { dropSteady, findSteady, keepSteady, setSteadySeed } from './steady-index'
