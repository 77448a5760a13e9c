import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What `wasm/allocator.ts` exports. Other files of `wasm/` are typed where they are called. */
export interface AllocatorExports {
  readonly memory: WebAssembly.Memory
  alloc(bytes: number): number
  free(pointer: number, bytes: number): void
  reserve(bytes: number): number
  setLimit(bytes: number): void
  allocatedBytes(): number
  allocatedBytesPeak(): number
  allocationRefusals(): number
}

export interface ByteMemoryOptions {
  /** The compiled module; default `build/lintel.wasm` of this checkout (`make build` makes it). */
  path?: string
  /** Functions the module may call back, by name (module name `env`). */
  imports?: Record<string, (...numbers: number[]) => number | void>
}

/**
 * The memory that TypeScript and AssemblyScript share. Its size is fixed, so the views never detach; a page costs
 * nothing until it is touched.
 *
 * @throws {Error} when the module has not been built
 */
export class ByteMemory {
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly f64: Float64Array
  readonly view: DataView
  readonly allocator: AllocatorExports
  readonly #exports: WebAssembly.Exports

  constructor(options: ByteMemoryOptions = {}) {
    const path = options.path ?? fileURLToPath(new URL('../../build/lintel.wasm', import.meta.url))
    const module = new WebAssembly.Module(readModule(path))
    const instance = new WebAssembly.Instance(module, { env: withRefusals(module, { abort, ...options.imports }) })
    this.#exports = instance.exports
    this.allocator = instance.exports as unknown as AllocatorExports
    const buffer = this.allocator.memory.buffer
    this.u8 = new Uint8Array(buffer)
    this.u16 = new Uint16Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.f64 = new Float64Array(buffer)
    this.view = new DataView(buffer)
  }

  /** The module's functions under the interface that the caller's stage declares for them. */
  exports<T>(): T {
    return this.#exports as unknown as T
  }

  /** `bytes` of memory for good. @throws {RangeError} when the memory has no room. */
  reserve(bytes: number): number {
    const pointer = this.allocator.reserve(bytes)
    if (pointer === 0) throw new RangeError(`Cannot reserve ${bytes} bytes: the shared memory is full`)
    return pointer
  }

  /** Copies `bytes` to `pointer`. */
  write(pointer: number, bytes: Uint8Array): void {
    this.u8.set(bytes, pointer)
  }

  /** A copy of `length` bytes at `pointer`. */
  read(pointer: number, length: number): Uint8Array {
    return this.u8.slice(pointer, pointer + length)
  }

  /** Bytes as Latin-1 text: for control paths and tests, not for the record path. */
  latin1(pointer: number, length: number): string {
    return Buffer.from(this.u8.buffer, pointer, length).toString('latin1')
  }
}

function readModule(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (cause) {
    throw new Error(`Cannot load "${path}": it has not been built; run "make build"`, { cause })
  }
}

/** Every function the module may call back: those that nobody supplied refuse, so a module can be used in part. */
function withRefusals(module: WebAssembly.Module, supplied: Record<string, unknown>) {
  const all = new Map(Object.entries(supplied))
  for (const { name } of WebAssembly.Module.imports(module)) {
    if (all.has(name)) continue
    all.set(name, () => {
      throw new Error(`Cannot call "${name}": not supplied; give it in the "imports" of the ByteMemory`)
    })
  }
  return Object.fromEntries(all)
}

function abort(_message: number, _file: number, line: number, column: number): never {
  throw new Error(`Assertion failed in the byte module at line ${line}, column ${column}`)
}
