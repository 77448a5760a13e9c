/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Go's crypto/tls. A goroutine takes the place of the thread: it may go on another thread in the midst of a call. Its
 * return is probed at the function's return instructions: a uretprobe puts an address on the stack that Go's own stack
 * walk does not know, and kills the program.
 *
 * Go's internal ABI on x86-64 (cmd/compile/abi-internal.md): arguments and results in RAX, RBX, RCX, ...; the goroutine in
 * R14, also at the system call itself.
 *
 * What is written is told at the entry: another goroutine may read the answer before this one returns.
 */
#ifndef LINTEL_TLS_GO_H
#define LINTEL_TLS_GO_H

#include "tls_call.h"

/* Not 0: some Go program is probed; else no socket call looks for goroutines. */
volatile __u32 go_is_read = 0;

struct goroutine_key {
	__u64 goroutine;
	__u32 process;
	__u32 reserved;
};

/* Calls under way, by goroutine; an entry goes with its last call. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, GOROUTINES);
	__type(key, struct goroutine_key);
	__type(value, struct thread);
} goroutines SEC(".maps");

/* Processes that may have entries there. One that finds no room leaves the entries that it dies with. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, GO_PROCESSES);
	__type(key, __u32);
	__type(value, __u8);
} go_processes SEC(".maps");

#if defined(__TARGET_ARCH_x86)

static __always_inline struct goroutine_key goroutine_of(struct pt_regs *ctx)
{
	struct goroutine_key key = { .goroutine = ctx->r14, .process = current_process() };

	return key;
}

/*
 * The stack pointer, told from the stack's upper end (runtime.g begins with stack.lo, stack.hi): Go moves stacks that grow.
 * Turned so that deeper is less, as it is for `enter`.
 */
static __always_inline __u64 go_stack(struct pt_regs *ctx)
{
	__u64 high = 0;

	bpf_probe_read_user(&high, sizeof(high), (const void *)(ctx->r14 + 8));
	return (1ull << 62) - (high - ctx->sp);
}

static __always_inline void go_enter(struct pt_regs *ctx, __u64 object, __u64 buffer, __u32 probe, __u32 direction)
{
	static const struct thread fresh = {};
	struct goroutine_key key = goroutine_of(ctx);
	struct thread *thread = bpf_map_lookup_elem(&goroutines, &key);

	if (!thread) {
		static const __u8 one = 1;

		if (!bpf_map_lookup_elem(&go_processes, &key.process))
			bpf_map_update_elem(&go_processes, &key.process, &one, BPF_ANY);
		bpf_map_update_elem(&goroutines, &key, &fresh, BPF_NOEXIST);
		thread = bpf_map_lookup_elem(&goroutines, &key);
	}
	if (!thread) {
		count(TLS_THREAD_REFUSED, 1);
		return;
	}
	enter(thread, go_stack(ctx), object, buffer, 0, probe, direction);
}

/* Told at once; the socket comes with the call's end, if it is not known yet. */
static __always_inline void go_write(__u64 object, __u64 buffer, __u64 length)
{
	struct session_key key = key_of(object);
	struct session *session;
	struct call call = {};

	if (length == 0 || length >= 1u << 31)
		return;
	count(TLS_CALLS_SEEN, 1);
	session = session_of(&key, 0);
	if (!session) {
		count(TLS_CALLS_LOST_TABLE, 1);
		return;
	}
	call.event.time_ns = bpf_ktime_get_ns();
	call.from = (const void *)buffer;
	send_bytes(&call, session, WRITE, length);
}

static __always_inline void go_leave(struct pt_regs *ctx)
{
	struct goroutine_key key = goroutine_of(ctx);
	struct thread *thread = bpf_map_lookup_elem(&goroutines, &key);
	struct frame frame;
	__u64 bytes = ctx->ax;

	if (!thread)
		return;
	if (leave(thread, go_stack(ctx), &frame)) {
		if (frame.direction == READ && bytes > 0 && bytes < 1u << 31)
			moved(thread, &frame, bytes);
		else
			moved_none(thread, &frame);
	}
	if (thread->depth == 0)
		bpf_map_delete_elem(&goroutines, &key);
}

static long forget_goroutine(struct bpf_map *map, struct goroutine_key *key, struct thread *thread, __u32 *process)
{
	if (key->process == *process)
		bpf_map_delete_elem(map, key);
	return 0;
}

/* Goroutines that wait for bytes are inside of a call: a process that dies returns from none. */
static __always_inline void forget_goroutines(__u32 process)
{
	if (!bpf_map_lookup_elem(&go_processes, &process))
		return;
	bpf_map_delete_elem(&go_processes, &process);
	bpf_for_each_map_elem(&goroutines, forget_goroutine, &process, 0);
}

/* The goroutine that makes the current system call, if it is inside of a TLS call. */
static __always_inline struct thread *calling_goroutine(void)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct goroutine_key key = { .goroutine = regs->r14, .process = current_process() };

	return bpf_map_lookup_elem(&goroutines, &key);
}

#else

static __always_inline void go_enter(struct pt_regs *ctx, __u64 object, __u64 buffer, __u32 probe, __u32 direction) {}
static __always_inline void go_write(__u64 object, __u64 buffer, __u64 length) {}
static __always_inline void go_leave(struct pt_regs *ctx) {}
static __always_inline void forget_goroutines(__u32 process) {}
static __always_inline struct thread *calling_goroutine(void) { return 0; }

#endif

#endif
