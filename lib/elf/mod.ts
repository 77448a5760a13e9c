/**
 * elf: what an ELF file says about its functions.
 *
 * In    the path of a program or library (64-bit, little-endian).
 * Out   sections, segments, functions by name, and the file offset of an address, which is where a uprobe goes.
 * Drops nothing; a file that contradicts itself is an ElfError or has fewer symbols.
 * Limits see ElfFile.
 *
 * @module
 */
export { ElfError } from './elf-error.ts'
export { ElfFile, MACHINE } from './elf-file.ts'
export type { ElfSection, ElfSegment, ElfSymbol } from './elf-file.ts'
export { goFunctions, goVersion } from './go-binary.ts'
export type { GoFunction, GoFunctions } from './go-binary.ts'
export { X64_ENTRY_BYTES, x64EntryPlace, x64GoEntryPlace, x64PassesTo, x64Targets } from './x64-entry.ts'
export { x64Length, x64Returns } from './x64-length.ts'
