// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Who speaks on a socket: run in the context of the process that connects, sends or receives, each leaves its number at
 * the socket; the packet programs read it there. A process is told to user space once, before any packet can name it,
 * with all that is gone once it has ended.
 *
 * In    tracepoints of the kernel's own BTF (sock_recv_length and sock_send_length came in 6.3, tcp_sendmsg_locked in 6.16).
 * Out   EVENT_PROCESS in the ring, socket_owners.
 * Limit PROCESSES_MAX processes known at a time (least recently met goes), processes_a_second new ones a second.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "process.h"

/* The process that is about to hand bytes to TCP; before the packet exists. */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(lintel_sends, struct sock *sk)
{
	return own(sk);
}

/* For kernels before 6.16: the process that has sent. Its first packet may be gone by now, so who received counts as well. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(lintel_sent, struct sock *sk, int result)
{
	return result > 0 ? own(sk) : 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(lintel_receives, struct sock *sk, int result)
{
	return result >= 0 ? own(sk) : 0;
}

/*
 * connect(), the only change to SYN_SENT, and close() or shutdown() by a process that never sent: FIN_WAIT1 and LAST_ACK are
 * entered by such calls only. Each before its packet is made.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(lintel_changes, struct sock *sk, int before, int after)
{
	if (after == TCP_SYN_SENT)
		return own(sk);
	if (after == TCP_FIN_WAIT1 || after == TCP_LAST_ACK)
		return is_owned(sk) ? 0 : own(sk);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
