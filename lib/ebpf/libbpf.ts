/**
 * The raw calls: libbpf 1.x and the few libc functions an eBPF loader needs, through koffi.
 *
 * This is the only file that declares foreign functions. Nothing here interprets a result; the files
 * named after libbpf's nouns do that. Libraries are opened at the first call, so importing is free and
 * works where libbpf is not installed.
 */
import koffi from 'koffi'
import type { LibraryHandle } from 'koffi'

import { BpfError } from './bpf-error.ts'

/** An address in this process. */
export type Pointer = bigint

/** Memory a call may read or write: bytes of JavaScript, an address, or NULL. */
export type Memory = Uint8Array | Pointer | null

/** `mmap` answers this address when it fails. */
export const MAP_FAILED: Pointer = 0xffff_ffff_ffff_ffffn

const LIBBPF_SONAME = 'libbpf.so.1'

let libbpfHandle: LibraryHandle | undefined
let libcHandle: LibraryHandle | undefined
let errno = 0

function openLibbpf(): LibraryHandle {
  if (libbpfHandle !== undefined) return libbpfHandle
  try {
    libbpfHandle = koffi.load(LIBBPF_SONAME)
  } catch (cause) {
    throw new BpfError(
      `Cannot open "${LIBBPF_SONAME}": ${(cause as Error).message}; `
        + 'install libbpf 1.0 or newer (Debian and Ubuntu: libbpf1, Fedora and Alpine: libbpf)',
      'ENOENT',
      { cause },
    )
  }
  // SAFETY: a NULL callback is libbpf's documented way to silence it; the slot is process-wide and every
  // thread that loads this file stores the same value.
  libbpfHandle.func('void *libbpf_set_print(void *fn)')(null)
  return libbpfHandle
}

function openLibc(): LibraryHandle {
  // What the process has loaded already: glibc or musl, whichever Node runs on.
  libcHandle ??= koffi.load(null)
  return libcHandle
}

// SAFETY: every signature below is copied from <bpf/libbpf.h> 1.1, <bpf/bpf.h> or the man page of the
// call; pointers are 64 bit addresses, and the callers keep the memory alive until the call returns.
function declare<F extends (...args: never[]) => unknown>(
  open: () => LibraryHandle, definition: string,
): F {
  let call: ((...args: never[]) => unknown) | undefined
  const first = (...args: never[]): unknown => {
    call ??= open().func(definition) as unknown as (...args: never[]) => unknown
    const result = call(...args)
    // Kept at once: the runtime makes system calls of its own between any two lines of JavaScript.
    errno = koffi.errno()
    return result
  }
  return first as F
}

const bpf = <F extends (...args: never[]) => unknown>(definition: string): F =>
  declare<F>(openLibbpf, definition)
const libcCall = <F extends (...args: never[]) => unknown>(definition: string): F =>
  declare<F>(openLibc, definition)

/** A call that may wait, made in another thread; it returns its error, as `errno` is of the thread that called. */
function declareWaiting<A extends unknown[]>(open: () => LibraryHandle, definition: string): (...args: A) => Promise<number> {
  let call: ((...args: unknown[]) => void) | undefined
  return (...args) => new Promise((resolve, reject) => {
    call ??= open().func(definition).async as (...args: unknown[]) => void
    call(...args, (error: Error | null, result: number) => { error === null ? resolve(result) : reject(error) })
  })
}

type Of1<R> = (pointer: Pointer) => R
/** libbpf's iteration: the item after `previous`, or the first one. */
export type Next = (object: Pointer, previous: Pointer | null) => Pointer | null

/** libbpf, function by function, under its own names. */
export const libbpf = {
  bpf_object__open_file: bpf<(path: string, options: Memory) => Pointer | null>(
    'void *bpf_object__open_file(const char *path, const void *opts)'),
  bpf_object__load: bpf<Of1<number>>('int bpf_object__load(void *obj)'),
  bpf_object__close: bpf<Of1<void>>('void bpf_object__close(void *obj)'),
  bpf_object__name: bpf<Of1<string>>('const char *bpf_object__name(const void *obj)'),
  bpf_object__btf: bpf<Of1<Pointer | null>>('void *bpf_object__btf(const void *obj)'),
  bpf_object__next_map: bpf<Next>('void *bpf_object__next_map(const void *obj, const void *map)'),
  bpf_object__next_program: bpf<Next>('void *bpf_object__next_program(const void *obj, void *prog)'),

  bpf_map__name: bpf<Of1<string>>('const char *bpf_map__name(const void *map)'),
  bpf_map__type: bpf<Of1<number>>('int bpf_map__type(const void *map)'),
  bpf_map__fd: bpf<Of1<number>>('int bpf_map__fd(const void *map)'),
  bpf_map__key_size: bpf<Of1<number>>('uint32_t bpf_map__key_size(const void *map)'),
  bpf_map__value_size: bpf<Of1<number>>('uint32_t bpf_map__value_size(const void *map)'),
  bpf_map__max_entries: bpf<Of1<number>>('uint32_t bpf_map__max_entries(const void *map)'),
  bpf_map__map_flags: bpf<Of1<number>>('uint32_t bpf_map__map_flags(const void *map)'),
  bpf_map__is_internal: bpf<Of1<boolean>>('bool bpf_map__is_internal(const void *map)'),
  bpf_map__set_max_entries: bpf<(map: Pointer, entries: number) => number>(
    'int bpf_map__set_max_entries(void *map, uint32_t max_entries)'),
  bpf_map__set_type: bpf<(map: Pointer, type: number) => number>(
    'int bpf_map__set_type(void *map, int type)'),
  bpf_map__set_key_size: bpf<(map: Pointer, size: number) => number>(
    'int bpf_map__set_key_size(void *map, uint32_t size)'),
  bpf_map__set_value_size: bpf<(map: Pointer, size: number) => number>(
    'int bpf_map__set_value_size(void *map, uint32_t size)'),
  bpf_map__set_autocreate: bpf<(map: Pointer, autocreate: boolean) => number>(
    'int bpf_map__set_autocreate(void *map, bool autocreate)'),
  bpf_map__reuse_fd: bpf<(map: Pointer, fd: number) => number>('int bpf_map__reuse_fd(void *map, int fd)'),
  bpf_map__initial_value: bpf<(map: Pointer, size: Memory) => Pointer | null>(
    'void *bpf_map__initial_value(void *map, void *psize)'),

  bpf_map_create: bpf<(type: number, name: string, keySize: number, valueSize: number, maxEntries: number, options: null) => number>(
    'int bpf_map_create(int map_type, const char *map_name, uint32_t key_size, uint32_t value_size, uint32_t max_entries, const void *opts)'),
  bpf_map_lookup_elem: bpf<(fd: number, key: Memory, value: Memory) => number>(
    'int bpf_map_lookup_elem(int fd, const void *key, void *value)'),
  bpf_map_update_elem: bpf<(fd: number, key: Memory, value: Memory, flags: number) => number>(
    'int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)'),
  bpf_map_delete_elem: bpf<(fd: number, key: Memory) => number>(
    'int bpf_map_delete_elem(int fd, const void *key)'),
  bpf_map_get_next_key: bpf<(fd: number, key: Memory, next: Memory) => number>(
    'int bpf_map_get_next_key(int fd, const void *key, void *next_key)'),

  bpf_program__name: bpf<Of1<string>>('const char *bpf_program__name(const void *prog)'),
  bpf_program__section_name: bpf<Of1<string>>('const char *bpf_program__section_name(const void *prog)'),
  bpf_program__type: bpf<Of1<number>>('int bpf_program__type(const void *prog)'),
  bpf_program__set_type: bpf<(program: Pointer, type: number) => number>(
    'int bpf_program__set_type(void *prog, int type)'),
  bpf_program__expected_attach_type: bpf<Of1<number>>(
    'int bpf_program__expected_attach_type(const void *prog)'),
  bpf_program__set_expected_attach_type: bpf<(program: Pointer, type: number) => number>(
    'int bpf_program__set_expected_attach_type(void *prog, int type)'),
  bpf_program__fd: bpf<Of1<number>>('int bpf_program__fd(const void *prog)'),
  bpf_program__insn_cnt: bpf<Of1<number>>('size_t bpf_program__insn_cnt(const void *prog)'),
  bpf_program__autoload: bpf<Of1<boolean>>('bool bpf_program__autoload(const void *prog)'),
  bpf_program__set_autoload: bpf<(program: Pointer, autoload: boolean) => number>(
    'int bpf_program__set_autoload(void *prog, bool autoload)'),
  bpf_program__set_log_buf: bpf<(program: Pointer, buffer: Memory, size: number) => number>(
    'int bpf_program__set_log_buf(void *prog, void *log_buf, size_t log_size)'),
  bpf_prog_test_run_opts: bpf<(fd: number, options: Memory) => number>(
    'int bpf_prog_test_run_opts(int prog_fd, void *opts)'),
  bpf_obj_get_info_by_fd: bpf<(fd: number, info: Memory, length: Memory) => number>(
    'int bpf_obj_get_info_by_fd(int bpf_fd, void *info, void *info_len)'),

  bpf_program__attach_tracepoint: bpf<
    (program: Pointer, category: string, name: string) => Pointer | null>(
    'void *bpf_program__attach_tracepoint(const void *prog, const char *category, const char *name)'),
  bpf_program__attach_raw_tracepoint: bpf<(program: Pointer, name: string) => Pointer | null>(
    'void *bpf_program__attach_raw_tracepoint(const void *prog, const char *tp_name)'),
  bpf_program__attach_trace: bpf<Of1<Pointer | null>>('void *bpf_program__attach_trace(const void *prog)'),
  bpf_program__attach_uprobe_opts: bpf<
    (program: Pointer, pid: number, path: string, offset: number, options: Memory) => Pointer | null>(
    'void *bpf_program__attach_uprobe_opts(const void *prog, int pid, const char *binary_path, '
    + 'size_t func_offset, const void *opts)'),
  bpf_link__destroy: bpf<Of1<number>>('int bpf_link__destroy(void *link)'),

  bpf_tc_hook_create: bpf<(hook: Memory) => number>('int bpf_tc_hook_create(void *hook)'),
  bpf_tc_hook_destroy: bpf<(hook: Memory) => number>('int bpf_tc_hook_destroy(void *hook)'),
  bpf_tc_attach: bpf<(hook: Memory, options: Memory) => number>(
    'int bpf_tc_attach(const void *hook, void *opts)'),
  bpf_tc_detach: bpf<(hook: Memory, options: Memory) => number>(
    'int bpf_tc_detach(const void *hook, const void *opts)'),

  btf__raw_data: bpf<(btf: Pointer, size: Memory) => Pointer | null>(
    'void *btf__raw_data(const void *btf, void *size)'),
  bpf_enable_stats: bpf<(type: number) => number>('int bpf_enable_stats(int type)'),
  libbpf_num_possible_cpus: bpf<() => number>('int libbpf_num_possible_cpus(void)'),
  libbpf_version_string: bpf<() => string>('const char *libbpf_version_string(void)'),
  libbpf_probe_bpf_prog_type: bpf<(type: number, options: Memory) => number>(
    'int libbpf_probe_bpf_prog_type(int prog_type, const void *opts)'),
  libbpf_probe_bpf_map_type: bpf<(type: number, options: Memory) => number>(
    'int libbpf_probe_bpf_map_type(int map_type, const void *opts)'),
  libbpf_probe_bpf_helper: bpf<(type: number, helper: number, options: Memory) => number>(
    'int libbpf_probe_bpf_helper(int prog_type, int helper_id, const void *opts)'),
} as const

/**
 * libc, function by function. `syscall` is variadic in C; on x86-64 and arm64 integer arguments of a
 * variadic call go where those of a plain call go, so the fixed signatures below are right for both.
 */
export const libc = {
  syscall_bpf: libcCall<(nr: number, command: number, attr: Memory, size: number) => number>(
    'long syscall(long nr, long cmd, void *attr, long size)'),
  syscall_perf_event_open: libcCall<
    (nr: number, attr: Memory, pid: number, cpu: number, group: number, flags: number) => number>(
    'long syscall(long nr, void *attr, long pid, long cpu, long group_fd, long flags)'),
  mmap: libcCall<
    (at: null, length: number, prot: number, flags: number, fd: number, offset: number) => Pointer>(
    'void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)'),
  munmap: libcCall<(at: Pointer, length: number) => number>('int munmap(void *addr, size_t length)'),
  madvise: libcCall<(at: Pointer, length: number, advice: number) => number>(
    'int madvise(void *addr, size_t length, int advice)'),
  sysconf: libcCall<(name: number) => number>('long sysconf(int name)'),
  open: libcCall<(path: string, flags: number, mode: number) => number>(
    'int open(const char *path, int flags, uint32_t mode)'),
  close: libcCall<(fd: number) => number>('int close(int fd)'),
  ioctl: libcCall<(fd: number, request: number, argument: number) => number>(
    'int ioctl(int fd, unsigned long request, long argument)'),
  epoll_create1: libcCall<(flags: number) => number>('int epoll_create1(int flags)'),
  epoll_ctl: libcCall<(epoll: number, operation: number, fd: number, event: Memory) => number>(
    'int epoll_ctl(int epfd, int op, int fd, void *event)'),
  epoll_wait: libcCall<(epoll: number, events: Memory, count: number, timeoutMs: number) => number>(
    'int epoll_wait(int epfd, void *events, int maxevents, int timeout)'),
  socket: libcCall<(domain: number, type: number, protocol: number) => number>(
    'int socket(int domain, int type, int protocol)'),
  bind: libcCall<(fd: number, address: Memory, length: number) => number>(
    'int bind(int fd, const void *addr, uint32_t length)'),
  setsockopt: libcCall<(fd: number, level: number, name: number, value: Memory, length: number) => number>(
    'int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
  send: libcCall<(fd: number, bytes: Memory, length: number, flags: number) => number>(
    'long send(int fd, const void *buf, size_t length, int flags)'),
  recv: libcCall<(fd: number, bytes: Memory, length: number, flags: number) => number>(
    'long recv(int fd, void *buf, size_t length, int flags)'),
  setns: libcCall<(fd: number, kind: number) => number>('int setns(int fd, int nstype)'),
  if_nametoindex: libcCall<(name: string) => number>('uint32_t if_nametoindex(const char *name)'),
  prctl: libcCall<(option: number, a: number, b: number, c: number, d: number) => number>(
    'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)'),
  posix_fadvise: declareWaiting<[fd: number, offset: number, length: number, advice: number]>(
    openLibc, 'int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)'),
  flock: libcCall<(fd: number, operation: number) => number>('int flock(int fd, int operation)'),
  malloc_trim: libcCall<(pad: number) => number>('int malloc_trim(size_t pad)'),
} as const

/** `errno` as the last of these calls left it; only a call that failed sets it. */
export function lastErrno(): number {
  return errno
}

/** The address of `bytes`, which must stay referenced for as long as the address is in use. */
export function addressOf(bytes: Uint8Array): Pointer {
  // A small typed array lives inside the garbage-collected heap and may move until its buffer is asked for.
  if (bytes.buffer.byteLength === 0) return 0n
  // SAFETY: the backing store has a fixed address from here on; the caller holds the reference.
  return koffi.address(bytes)
}

/**
 * A live view of foreign memory: no copy, no ownership. Call `detachView` before the memory goes away,
 * or a later access is a segmentation fault.
 */
export function viewOf(pointer: Pointer, length: number): ArrayBuffer {
  // SAFETY: callers pass the address and length of a mapping or of memory libbpf documents as theirs to
  // use, and detach the view before the memory is released.
  return koffi.view(pointer, length)
}

/** Makes every typed array over `buffer` empty, so that a late access reads nothing instead of crashing. */
export function detachView(buffer: ArrayBuffer): void {
  if (!buffer.detached) buffer.transfer(0)
}
