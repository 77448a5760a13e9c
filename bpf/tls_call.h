/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One call of a TLS library from its entry to its return.
 *
 * The stack pointer tells which return belongs to which entry: a call whose stack frame is gone without a return is
 * dropped. A function that a library builds on another counts once, the outermost. But a library may call its program back in
 * the midst of a read (Node, when a handshake is over), and what that writes on the same object is a call of its own.
 */
#ifndef LINTEL_TLS_CALL_H
#define LINTEL_TLS_CALL_H

#include "tls_socket.h"

#if defined(__TARGET_ARCH_x86)
#define ENTRY_STACK(stack) ((stack) - 8) /* the return address has been popped */
#else
#define ENTRY_STACK(stack) (stack)
#endif

/* A thread that never called a TLS library, as most that send and receive, has no storage at all: that costs one load. */
static __always_inline struct thread *thread_of(int create)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!create && !task->bpf_storage)
		return 0;
	return bpf_task_storage_get(&threads, task, 0, create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

/* Of a function that calls another one to do its work, no program's code in between: its part of the stack, with room to spare. */
#define WRAPPER_BYTES 1024

/* Frames by number; the verifier is to see the bound that the compiler has proved. */
static __always_inline struct frame *frame_at(struct thread *thread, __u32 index)
{
	asm volatile("%0 &= 3" : "+r"(index));
	_Static_assert(FRAMES == 4, "the mask above is FRAMES - 1");
	return &thread->frame[index];
}

/* Whether a call on the same object, `below` bytes further down the stack, is how the library does what `outer` was asked for. */
static __always_inline int is_part_of(const struct frame *outer, __u32 probe, __u32 direction, __u64 below)
{
	if (direction >= CONTROL)
		return 1;
	return outer->direction == direction && outer->probe != probe && below < WRAPPER_BYTES;
}

static __always_inline void enter(struct thread *thread, __u64 stack, __u64 object, __u64 buffer, __u64 length_at, __u32 probe, __u32 direction)
{
	struct frame *frame;
	__u32 depth = thread->depth;

	for (int i = 0; i < FRAMES && depth > 0; i++) {
		/* Stacks grow down: a frame below this one is over. One in the same place has jumped here: it ends as this one. */
		frame = frame_at(thread, depth - 1);
		if (frame->stack > stack)
			break;
		depth--;
		if (frame->stack != stack || frame->object != object)
			count(TLS_UNRETURNED, 1);
	}
	for (__u32 i = 0; i < FRAMES; i++) {
		if (i >= depth)
			break;
		frame = frame_at(thread, i);
		if (frame->object == object && is_part_of(frame, probe, direction, frame->stack - stack)) {
			thread->depth = depth;
			return;
		}
		frame->nested = 1;
	}
	thread->depth = depth;
	if (depth >= FRAMES) {
		count(TLS_TOO_DEEP, 1);
		return;
	}
	frame = frame_at(thread, depth);
	frame->object = object;
	frame->buffer = buffer;
	frame->length_at = length_at;
	frame->stack = stack;
	frame->time = bpf_ktime_get_ns();
	frame->cookie = 0;
	frame->direction = direction;
	frame->probe = probe;
	frame->nested = 0;
	thread->depth = depth + 1;
}

/* Takes the frame of the call that returns now into `found`. @returns 0 = there is none */
static __always_inline int leave(struct thread *thread, __u64 stack, struct frame *found)
{
	for (int i = 0; i < FRAMES; i++) {
		__u32 depth = thread->depth;
		struct frame *frame;

		if (depth == 0)
			return 0;
		frame = frame_at(thread, depth - 1);
		if (frame->stack > stack)
			return 0;
		thread->depth = depth - 1;
		if (frame->stack == stack) {
			*found = *frame;
			return 1;
		}
		count(TLS_UNRETURNED, 1);
	}
	return 0;
}

/*
 * The socket that was seen inside of the call becomes the session's; another one than before means another connection, which is
 * seen from its start when the call is a handshake: some clients use one object for one connection after the other.
 */
static __always_inline struct session *settle_socket(struct thread *thread, struct session *session,
						      struct session_key *key, struct frame *frame)
{
	__u64 cookie = frame->cookie;

	if (session->socket.cookie == cookie || thread->socket.cookie != cookie)
		return session;
	if (session->socket.cookie && !(session->flags & SESSION_GUESSED)) {
		session = open_session(key, frame->direction == HANDSHAKE ? SESSION_START : 0);
		if (!session)
			return 0;
	}
	adopt(session, &thread->socket, 0);
	return session;
}

/* Counts `bytes` of a session, and delivers them; call->from and the time are set. */
static __always_inline void send_bytes(struct call *call, struct session *session, __u32 direction, __u32 bytes)
{
	describe(&call->event, session, direction);
	call->event.call_length = bytes;
	call->event.position = __sync_fetch_and_add(&session->position[direction & 1], bytes);
	/* GnuTLS takes a write that it could not finish up again without the bytes: they are missing, and their position says so. */
	count(call->from ? deliver_call(call, direction, bytes) : TLS_CALLS_LOST_COPY, 1);
}

/* `bytes` went one way in the call that `frame` was. */
static __always_inline void moved(struct thread *thread, struct frame *frame, __u32 bytes)
{
	struct session_key key = key_of(frame->object);
	struct session *session = session_of(&key, 0);
	__u32 direction = frame->direction & 1;
	struct call call = {};

	count(TLS_CALLS_SEEN, 1);
	if (session && frame->cookie)
		session = settle_socket(thread, session, &key, frame);
	if (!session) {
		count(TLS_CALLS_LOST_TABLE, 1);
		return;
	}
	if (!frame->cookie && !frame->nested) {
		if (direction == READ)
			vote_read(thread, session, bytes);
		else
			vote_write(thread, session, &key, bytes);
	}
	call.event.time_ns = direction == READ ? bpf_ktime_get_ns() : frame->time;
	call.from = (const void *)frame->buffer;
	send_bytes(&call, session, direction, bytes);
}

/* A call that moved no bytes: a handshake, or a try. */
static __always_inline void moved_none(struct thread *thread, struct frame *frame)
{
	struct session_key key = key_of(frame->object);
	struct session *session;

	if (!frame->cookie) {
		thread->outside = 1;
		thread->received.cookie = 0;
		return;
	}
	session = bpf_map_lookup_elem(&sessions, &key);
	if (!session || session->socket.cookie == frame->cookie)
		return;
	session = settle_socket(thread, session, &key, frame);
	/* What was told before went without. */
	if (session && (session->position[READ] || session->position[WRITE]))
		tell(session, WRITE, PLAINTEXT_SOCKET);
}

#endif
