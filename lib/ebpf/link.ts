/** One attachment of a program. It dies with the process, however that ends; only `tc` does not. */
export interface Link extends Disposable {
  /** `tcx`, `xdp`, `tc`, `cgroup`, `socket_filter`, `tracepoint`, `raw_tracepoint`, `tracing`, `uprobe` or `uprobe_multi`. */
  readonly kind: LinkKind
  /** The network interface, for those kinds that have one. */
  readonly interfaceIndex?: number
  /** How an XDP program runs. */
  readonly mode?: 'generic' | 'native'
  /** Detaches. Idempotent. */
  detach(): void
}

export const LinkKind = {
  tcx: 'tcx', xdp: 'xdp', tc: 'tc', cgroup: 'cgroup', socket_filter: 'socket_filter',
  tracepoint: 'tracepoint', raw_tracepoint: 'raw_tracepoint', tracing: 'tracing', uprobe: 'uprobe', uprobe_multi: 'uprobe_multi',
} as const
export type LinkKind = (typeof LinkKind)[keyof typeof LinkKind]

/** What an attach function knows about the link it made. */
export interface LinkParts {
  readonly kind: LinkKind
  readonly interfaceIndex?: number
  readonly mode?: 'generic' | 'native'
  /** Undoes the attachment; called once. */
  readonly release: () => void
}

/** The one implementation of Link: descriptions of what was attached, and a way to undo it. */
export class AttachedLink implements Link {
  readonly kind: LinkKind
  declare readonly interfaceIndex?: number
  declare readonly mode?: 'generic' | 'native'
  readonly #release: () => void
  readonly #forget: (link: Link) => void
  #attached = true

  constructor(parts: LinkParts, forget: (link: Link) => void) {
    this.kind = parts.kind
    if (parts.interfaceIndex !== undefined) this.interfaceIndex = parts.interfaceIndex
    if (parts.mode !== undefined) this.mode = parts.mode
    this.#release = parts.release
    this.#forget = forget
  }

  detach(): void {
    if (!this.#attached) return
    this.#attached = false
    this.#forget(this)
    this.#release()
  }

  [Symbol.dispose](): void {
    this.detach()
  }
}
