/** An operation on the kernel's BPF subsystem that failed; callers branch on `code`. */
export class BpfError extends Error {
  override readonly name: string = 'BpfError'
  /** The errno's name, such as `EPERM`; libbpf's own codes appear as `LIBBPF_ERRNO__FORMAT` and so on. */
  readonly code: string

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
