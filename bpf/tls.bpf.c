// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Probes in TLS libraries: what a program reads and writes in the clear, without its keys. Nothing is altered.
 *
 * Attached by user space to functions of OpenSSL and its kin (BoringSSL, LibreSSL, also inside of other programs) and of
 * GnuTLS, whose arguments lie alike: see PROBE_*.
 */
#include "tls_go.h"

static __always_inline void end_session(__u64 object)
{
	struct session_key key = key_of(object);
	struct session *session = bpf_map_lookup_elem(&sessions, &key);

	if (!session)
		return;
	if (session->position[READ] || session->position[WRITE])
		tell(session, READ, PLAINTEXT_ENDED);
	bpf_map_delete_elem(&sessions, &key);
}

static __always_inline void begin_handshake(__u64 object)
{
	struct session_key key = key_of(object);

	session_of(&key, SESSION_START);
}

static __always_inline void end_writes(__u64 object)
{
	struct session_key key = key_of(object);
	struct session *session = bpf_map_lookup_elem(&sessions, &key);

	if (session && (session->position[READ] || session->position[WRITE]))
		tell(session, WRITE, PLAINTEXT_WRITE_ENDED);
}

/* At the entry of each function; the cookie says which. */
SEC("uprobe")
int BPF_KPROBE(lintel_tls_in, __u64 object, __u64 buffer, __u64 length, __u64 fourth, __u64 fifth)
{
	__u64 probe = bpf_get_attach_cookie(ctx);
	__u32 direction = CONTROL;
	struct thread *thread;
	__u64 length_at = 0;

	if (!object || is_over || current_process() == own_process)
		return 0;
	switch (probe) {
	case PROBE_READ_EX:
		length_at = fourth;
		direction = READ;
		break;
	case PROBE_READ:
		direction = READ;
		break;
	case PROBE_WRITE_EX:
		length_at = fourth;
		direction = WRITE;
		break;
	case PROBE_WRITE_EX2:
		length_at = fifth;
		direction = WRITE;
		break;
	case PROBE_WRITE:
		direction = WRITE;
		break;
	case PROBE_HANDSHAKE:
		direction = HANDSHAKE;
		begin_handshake(object);
		break;
	case PROBE_SHUTDOWN:
		end_writes(object);
		break;
	case PROBE_FREE:
		end_session(object);
		return 0;
	default:
		return 0;
	}
	thread = thread_of(1);
	if (thread)
		enter(thread, PT_REGS_SP(ctx), object, buffer, length_at, probe, direction);
	else
		count(TLS_THREAD_REFUSED, 1);
	return 0;
}

/* At the return of each function that is remembered, and of SSL_new. */
SEC("uretprobe")
int BPF_KRETPROBE(lintel_tls_end, __u64 result)
{
	struct thread *thread;
	struct frame frame;
	__u64 bytes = 0;

	if (is_over || current_process() == own_process)
		return 0;
	if (bpf_get_attach_cookie(ctx) == PROBE_NEW) {
		struct session_key key = key_of(result);

		/* Whatever lay at this address before is another session. */
		if (result)
			open_session(&key, SESSION_START);
		return 0;
	}
	thread = thread_of(0);
	if (!thread || !leave(thread, ENTRY_STACK(PT_REGS_SP(ctx)), &frame))
		return 0;
	if ((int)result > 0 && frame.direction < CONTROL) {
		bytes = (__u32)result;
		if (frame.length_at && bpf_probe_read_user(&bytes, sizeof(bytes), (const void *)frame.length_at))
			bytes = 0;
	}
	if (bytes > 0 && bytes < 1u << 31)
		moved(thread, &frame, bytes);
	else
		moved_none(thread, &frame);
	return 0;
}

/* In Go programs, at entries and at return instructions. */
SEC("uprobe")
int lintel_tls_go(struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	__u64 probe = bpf_get_attach_cookie(ctx);

	if (is_over)
		return 0;
	switch (probe) {
	case PROBE_GO_READ:
		go_enter(ctx, ctx->ax, ctx->bx, probe, READ);
		break;
	case PROBE_GO_WRITE:
		go_write(ctx->ax, ctx->bx, ctx->cx);
		go_enter(ctx, ctx->ax, ctx->bx, probe, CONTROL);
		break;
	case PROBE_GO_HANDSHAKE:
		begin_handshake(ctx->ax);
		go_enter(ctx, ctx->ax, 0, probe, HANDSHAKE);
		break;
	case PROBE_GO_CLOSE:
		end_session(ctx->ax);
		break;
	case PROBE_GO_END:
		go_leave(ctx);
		break;
	}
#endif
	return 0;
}

static __always_inline void watch_socket(struct sock *sk, int result, __u32 direction)
{
	struct thread *thread;
	struct frame *frame;
	__u32 depth;
	__u64 cookie;

	if (result <= 0 || is_over)
		return;
	thread = thread_of(0);
	if (!thread || (thread->depth == 0 && !thread->outside)) {
		if (!go_is_read)
			return;
		thread = calling_goroutine();
		if (!thread || thread->depth == 0)
			return;
	}
	if (sk->sk_protocol != IPPROTO_TCP || (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6))
		return;
	cookie = bpf_get_socket_cookie(sk);
	bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	depth = thread->depth;
	if (depth == 0) {
		socket_outside(thread, sk, cookie, direction, result);
		return;
	}
	frame = frame_at(thread, depth - 1);
	frame->cookie = cookie;
	if (thread->socket.cookie != cookie)
		read_endpoint(&thread->socket, sk, cookie);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(lintel_tls_sent, struct sock *sk, int result, int flags)
{
	watch_socket(sk, result, WRITE);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(lintel_tls_got, struct sock *sk, int result, int flags)
{
	watch_socket(sk, result, READ);
	return 0;
}

/* A program that dies frees nothing: its sockets tell its end. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(lintel_tls_gone, struct sock *sk, int before, int after)
{
	struct call call = {};

	if (after != TCP_CLOSE || is_over || !bpf_sk_storage_get(&sockets, sk, 0, 0))
		return 0;
	bpf_sk_storage_delete(&sockets, sk);
	call.event.time_ns = bpf_ktime_get_ns();
	call.event.kind = EVENT_PLAINTEXT;
	call.event.hook = HOOK_UPROBE;
	call.event.flags = PLAINTEXT_CLOSED;
	call.event.socket_cookie = bpf_get_socket_cookie(sk);
	deliver_notice(&call);
	return 0;
}

/* The last thread of a process ends: what its goroutines were inside of never returns. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(lintel_tls_exit, struct task_struct *task)
{
	if (go_is_read && task->signal->live.counter == 0)
		forget_goroutines(task->tgid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
