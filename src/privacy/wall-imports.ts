/**
 * The functions that the byte module calls back. They are needed before the module exists and the wall after
 * it, so they are made first and bound to their wall when it is made (`bindImports`).
 */

/** What the byte module asks of the wall. */
export interface WallCallbacks {
  /** ACTION_* for the name of `length` bytes at `pointer`. */
  decideHeader(pointer: number, length: number, response: number): number
  /** Number of spans found in the text; they are written to the shared region. */
  findCredential(pointer: number, length: number): number
}

export type WallImports = {
  decideHeader: (pointer: number, length: number, response: number) => number
  findCredential: (pointer: number, length: number) => number
}

let binding: WallCallbacks | undefined

/** Imports for one ByteMemory. Until a wall is bound they refuse. */
export function wallImports(): WallImports {
  let bound: WallCallbacks | undefined
  const callbacks = (): WallCallbacks => {
    if (bound === undefined) throw new Error('Cannot ask the privacy wall: it has not been made; make a ' +
      'Wall over this memory first')
    return bound
  }
  return {
    decideHeader(pointer, length, response) {
      if (pointer === 0 && binding !== undefined) {
        bound = binding
        return 1
      }
      return callbacks().decideHeader(pointer, length, response)
    },
    findCredential: (pointer, length) => callbacks().findCredential(pointer, length),
  }
}

/**
 * Binds the imports that `link` reaches (it makes the module call `decideHeader(0, 0, 0)`) to `callbacks`.
 *
 * @throws {Error} when the module was made with other imports
 */
export function bindImports(callbacks: WallCallbacks, link: () => number): void {
  binding = callbacks
  try {
    if (link() !== 1) throw new Error('answered by something else')
  } catch (cause) {
    throw new Error('Cannot make the privacy wall: its memory was made without Wall.imports(); give them ' +
      'as "imports"', { cause })
  } finally {
    binding = undefined
  }
}
