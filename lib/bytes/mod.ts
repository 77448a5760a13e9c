/**
 * bytes: the memory that TypeScript and AssemblyScript share.
 *
 * In    the compiled module `build/lintel.wasm` (sources in `wasm/`).
 * Out   typed views that never detach, an allocator in size classes, and the module's functions.
 * Limit the memory's size is fixed when the module is built (256 MiB of address space); `setLimit` bounds what the
 *       allocator hands out.
 *
 * @module
 */
export { ByteMemory } from './memory.ts'
export type { AllocatorExports, ByteMemoryOptions } from './memory.ts'
export { RowTable } from './row-table.ts'
