/** A file that is no ELF file, or that contradicts itself. The message names the file and what is wrong. */
export class ElfError extends Error {
  override readonly name = 'ElfError'

  constructor(path: string, why: string) {
    super(`Cannot read "${path}" as an ELF file: ${why}`)
  }
}
