import { libc } from './libbpf.ts'
import { CStruct, fail, lastFailure } from './syscall.ts'

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
const EPOLLIN = 1
const EPOLLET = 0x8000_0000
const EVENTS_MAX = 64
/** `struct epoll_event` is packed on x86-64 and padded elsewhere (include/uapi/linux/eventpoll.h). */
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16

/** Blocks a thread until one of some descriptors can be read: an epoll, for a worker without event loop. */
export class EventWait {
  readonly #of: string
  readonly #events = new Uint8Array(EVENTS_MAX * EVENT_BYTES)
  #epoll: number

  /** @param wakeUps 'edge' = only a wake-up ends a wait, whatever can be read already (EPOLLET); 'level' = what can be read does */
  constructor(of: string, fds: readonly number[], wakeUps: 'level' | 'edge' = 'level') {
    this.#of = of
    // SAFETY: no memory is passed.
    this.#epoll = libc.epoll_create1(EPOLL_CLOEXEC)
    if (this.#epoll < 0) {
      fail(`Cannot wait for ${of}`, lastFailure(), { EMFILE: 'raise the limit of open files' })
    }
    for (const fd of fds) {
      const event = new CStruct(EVENT_BYTES).u32(0, wakeUps === 'edge' ? EPOLLIN | EPOLLET : EPOLLIN).u32(EVENT_BYTES - 8, fd)
      // SAFETY: the kernel copies the event during the call.
      if (libc.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, event.bytes) >= 0) continue
      const failure = lastFailure()
      this.close()
      fail(`Cannot wait for ${of}`, failure)
    }
  }

  /** True when something can be read; false after `timeoutMs`, and when a signal came or it is closed. */
  wait(timeoutMs: number): boolean {
    if (this.#epoll < 0) return false
    // SAFETY: the buffer has room for EVENTS_MAX events.
    const ready = libc.epoll_wait(this.#epoll, this.#events, EVENTS_MAX, timeoutMs)
    if (ready >= 0) return ready > 0
    const failure = lastFailure()
    if (failure.code === 'EINTR') return false
    return fail(`Cannot wait for ${this.#of}`, failure)
  }

  /** Idempotent. */
  close(): void {
    if (this.#epoll < 0) return
    // SAFETY: the descriptor is ours and is closed once.
    libc.close(this.#epoll)
    this.#epoll = -1
  }
}
