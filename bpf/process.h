/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One socket and the process that uses it right now: see process.bpf.c. */
#ifndef LINTEL_PROCESS_H
#define LINTEL_PROCESS_H

#include "process_info.h"
#include "owners.h"

#define PROCESSES_MAX 16384
#define SECOND 1000000000ull
#define PF_KTHREAD 0x00200000

/* What makes a process another one: a pid can be used again, exec brings another program, setuid another user. */
struct process_key {
	__u64 start_time_ns;
	__u32 pid;
	__u32 user_id;
	__u32 exec;
	__u32 telling;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PROCESSES_MAX);
	__type(key, struct process_key);
	__type(value, __u32);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROCESS_COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} process_counters SEC(".maps");

/* New ones told in a second: a flood of short-lived processes must not fill the ring. */
const volatile __u32 processes_a_second = 4096;

/* Raised by user space when it has forgotten a process: then each is told again when it next speaks. */
__u32 telling = 1;

/* The number of the next process; a run's first is 1. */
__u64 next_process = 1;
__u64 second_began = 0;
__u64 told_in_second = 0;

static __always_inline void count_process(__u32 index)
{
	__u64 *count = bpf_map_lookup_elem(&process_counters, &index);

	if (count)
		(*count)++;
}

/* Two CPUs may begin a second together: then a few more are let through. */
static __always_inline int over_rate(void)
{
	__u64 now = bpf_ktime_get_ns();

	if (now - second_began > SECOND) {
		second_began = now;
		told_in_second = 0;
	}
	return fetch_and_increment(&told_in_second) >= processes_a_second;
}

/* The number of a process; tells user space of one that is new. 0 = it could not be told. */
static __always_inline __u32 number_of(struct task_struct *task, const struct process_key *key)
{
	__u32 *known = bpf_map_lookup_elem(&processes, key);
	__u32 process;

	if (known)
		return *known;
	if (over_rate()) {
		count_process(PROCESS_COUNTER_LOST_RATE);
		return 0;
	}
	process = fetch_and_increment(&next_process);
	if (process == 0)
		process = fetch_and_increment(&next_process);
	if (tell_process(task, process, key->start_time_ns, key->user_id)) {
		count_process(PROCESS_COUNTER_LOST_FULL);
		return 0;
	}
	count_process(PROCESS_COUNTER_TOLD);
	bpf_map_update_elem(&processes, key, &process, BPF_ANY);
	return process;
}

static __always_inline void set_owner(struct sock *sk, struct task_struct *task, const struct process_key *key)
{
	struct socket_owner *owner;
	__u32 process = number_of(task, key);

	if (!process)
		return;
	owner = bpf_sk_storage_get(&socket_owners, sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!owner) {
		count_process(PROCESS_COUNTER_LOST_STORAGE);
		return;
	}
	owner->cookie = bpf_get_socket_cookie(sk);
	owner->start_time_ns = key->start_time_ns;
	owner->pid = key->pid;
	owner->user_id = key->user_id;
	owner->exec = key->exec;
	owner->telling = key->telling;
	owner->process = process;
}

/* Runs at each call that sends or receives on this machine: what follows the comparison is for a new pair only. */
static __always_inline int own(struct sock *sk)
{
	struct task_struct *task;
	struct process_key key = {};
	struct socket_owner *owner;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	task = bpf_get_current_task_btf();
	key.start_time_ns = task->group_leader->start_boottime;
	key.pid = task->tgid;
	key.user_id = task->cred->euid.val;
	key.exec = task->self_exec_id;
	key.telling = *(volatile __u32 *)&telling;
	owner = bpf_sk_storage_get(&socket_owners, sk, NULL, 0);
	if (owner && owner->process) {
		if (owner->pid == key.pid && owner->start_time_ns == key.start_time_ns && owner->exec == key.exec &&
		    owner->user_id == key.user_id && owner->telling == key.telling)
			return 0;
		/* A worker of the kernel sends for whoever asked it to. */
		if (task->flags & PF_KTHREAD)
			return 0;
	}
	set_owner(sk, task, &key);
	return 0;
}

static __always_inline int is_owned(struct sock *sk)
{
	struct socket_owner *owner;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	owner = bpf_sk_storage_get(&socket_owners, sk, NULL, 0);
	return owner && owner->process;
}

#endif
