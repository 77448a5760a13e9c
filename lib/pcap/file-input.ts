import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

import { INPUT_WAIT, type ByteInput } from './byte-input.ts'

const STANDARD_INPUT = 0

/** A file or pipe, read as it is. */
export class FileInput implements ByteInput {
  readonly name: string
  readonly size: number | undefined
  readonly descriptor: number
  readonly #owned: boolean
  #damage: 'read_failed' | undefined

  constructor(name: string, descriptor: number, owned: boolean) {
    this.name = name
    this.descriptor = descriptor
    this.#owned = owned
    const stat = fstatSync(descriptor)
    this.size = stat.isFile() ? stat.size : undefined
  }

  get damage(): 'read_failed' | undefined {
    return this.#damage
  }

  read(bytes: Uint8Array, at: number, length: number): number {
    try {
      return readSync(this.descriptor, bytes, at, length, null)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'EAGAIN') return INPUT_WAIT
      if (code === 'EOF') return 0
      this.#damage = 'read_failed'
      return 0
    }
  }

  close(): void {
    if (this.#owned) closeSync(this.descriptor)
  }
}

/**
 * Opens a path, or standard input for `-`.
 *
 * @throws {Error} when the path cannot be opened or is a folder
 */
export function openFile(path: string): FileInput {
  if (path === '-') return openStandardInput()
  let descriptor
  try {
    descriptor = openSync(path, constants.O_RDONLY)
  } catch (cause) {
    throw new Error(`Cannot open capture file "${path}": ${openReason(cause)}`, { cause })
  }
  if (fstatSync(descriptor).isDirectory()) {
    closeSync(descriptor)
    throw new Error(`Cannot open capture file "${path}": it is a folder; name the files in it`)
  }
  return new FileInput(path, descriptor, true)
}

/**
 * A pipe is opened anew without blocking, so that a slow writer (`tcpdump -w -`) never stops the event loop
 * and the descriptor that other processes share keeps its own flags.
 */
function openStandardInput(): FileInput {
  if (fstatSync(STANDARD_INPUT).isFIFO()) {
    try {
      const descriptor = openSync('/dev/stdin', constants.O_RDONLY | constants.O_NONBLOCK)
      return new FileInput('standard input', descriptor, true)
    } catch {
      // No /dev/stdin (a bare container): read the descriptor itself and block while the writer is slow.
    }
  }
  return new FileInput('standard input', STANDARD_INPUT, false)
}

function openReason(cause: unknown): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'no such file; check the path'
    case 'EACCES':
    case 'EPERM':
      return 'permission denied; run as a user that may read it'
    default:
      return (cause as Error).message
  }
}
