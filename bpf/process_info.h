/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is told of a process, read from its own context: so it is there however soon the process ends.
 *
 * Paths are put together from their ends, name by name, as the kernel's own d_path() and kernfs_path() do.
 */
#ifndef LINTEL_PROCESS_INFO_H
#define LINTEL_PROCESS_INFO_H

#include "shards.h"

#define PATH_NAMES_MAX 48 /* names of a path, mount points included */
#define CGROUP_NAMES_MAX 24
#define NAME_MAX_MASK 255
#define ARGUMENTS_CHUNK 512
#define CHUNKS (PROCESS_ARGUMENTS_MAX / ARGUMENTS_CHUNK)
#define KERNEL_THREAD 0x00200000
#define RECORD_SPARE 64 /* of the ring, beside a record: its header, and padding */

struct process_record {
	struct packet_event event;
	struct process_info info;
	__u8 arguments[PROCESS_ARGUMENTS_MAX];
};

/* Never seen by two programs at once: a tracepoint's programs run with preemption off. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct process_record);
} process_record SEC(".maps");

/* kernfs_node.parent is __parent since 6.15. */
struct kernfs_node___before {
	struct kernfs_node *parent;
} __attribute__((preserve_access_index));

struct kernfs_node___since {
	struct kernfs_node *__parent;
} __attribute__((preserve_access_index));

/*
 * Puts "/name" in front of what begins at `at`. The result is the new beginning; the same one when there is no room. The
 * masks are for the verifier: behind PROCESS_PATH_MAX bytes come more of the same record.
 */
static __always_inline __u32 put_name(__u8 *path, __u32 at, const void *name, __u32 length)
{
	if (length == 0 || length > NAME_MAX_MASK || at < length + 1 || at > PROCESS_PATH_MAX)
		return at;
	at -= length;
	asm volatile("" : "+r"(at), "+r"(length));
	at &= PROCESS_PATH_MAX - 1;
	length &= NAME_MAX_MASK;
	if (bpf_probe_read_kernel(path + at, length, name))
		return at + length;
	at--;
	path[at & (PROCESS_PATH_MAX - 1)] = '/';
	return at;
}

/* /proc/PID/exe, as the process itself would see it without a chroot. */
static __always_inline void put_executable(struct process_info *info, struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *vfsmount = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
	__u32 at = PROCESS_PATH_MAX, before;

	for (int i = 0; i < PATH_NAMES_MAX; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root) || dentry == parent) {
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			/* The end of the mount tree; a file of no file system (memfd) has a name and no more. */
			if (above == mount)
				goto whole;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		before = at;
		at = put_name(info->executable, at, BPF_CORE_READ(dentry, d_name.name), BPF_CORE_READ(dentry, d_name.len));
		if (at == before)
			break;
		dentry = parent;
	}
	info->flags |= PROCESS_EXECUTABLE_CUT;
whole:
	info->executable_at = at;
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *node)
{
	struct kernfs_node___since *since = (void *)node;
	struct kernfs_node___before *before = (void *)node;

	if (bpf_core_field_exists(since->__parent))
		return BPF_CORE_READ(since, __parent);
	return BPF_CORE_READ(before, parent);
}

#define V1_NODE(set, subsystem)                                                                                       \
	(bpf_core_enum_value_exists(enum cgroup_subsys_id, subsystem) ?                                                \
		 BPF_CORE_READ(set, subsys[bpf_core_enum_value(enum cgroup_subsys_id, subsystem)], cgroup, kn) : NULL)

/* The cgroup that tells most: v2; where all processes stand in its root (v1 hosts), that of memory, then of pids. */
static __always_inline void put_cgroup(struct process_info *info, struct css_set *set)
{
	struct kernfs_node *node = BPF_CORE_READ(set, dfl_cgrp, kn), *parent;
	__u32 at = PROCESS_PATH_MAX, before;

	info->cgroup_id = BPF_CORE_READ(node, id);
	if (!parent_of(node))
		node = V1_NODE(set, memory_cgrp_id);
	if (node && !parent_of(node))
		node = V1_NODE(set, pids_cgrp_id);
	for (int i = 0; i < CGROUP_NAMES_MAX; i++) {
		const char *name;
		__u8 text[NAME_MAX_MASK + 1];
		long length;

		parent = node ? parent_of(node) : NULL;
		if (!parent)
			goto whole;
		name = BPF_CORE_READ(node, name);
		length = bpf_probe_read_kernel_str(text, sizeof(text), name);
		before = at;
		if (length > 1 && length <= NAME_MAX_MASK + 1)
			at = put_name(info->cgroup, at, name, length - 1);
		if (at == before)
			break;
		node = parent;
	}
	info->flags |= PROCESS_CGROUP_CUT;
whole:
	if (at == PROCESS_PATH_MAX && !(info->flags & PROCESS_CGROUP_CUT)) {
		at--;
		info->cgroup[at] = '/';
	}
	info->cgroup_at = at;
}

/* The bytes that /proc/PID/cmdline shows. A page that is not in memory ends them: nothing here may wait. */
static __always_inline void put_arguments(struct process_record *record, struct mm_struct *mm)
{
	unsigned long start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
	__u32 length = 0, left;

	if (end <= start)
		return;
	if (end - start > PROCESS_ARGUMENTS_MAX) {
		end = start + PROCESS_ARGUMENTS_MAX;
		record->info.flags |= PROCESS_ARGUMENTS_CUT;
	}
	left = end - start;
	for (int i = 0; i < CHUNKS && left; i++) {
		__u32 chunk = left < ARGUMENTS_CHUNK ? left : ARGUMENTS_CHUNK;

		asm volatile("" : "+r"(chunk));
		if (chunk == 0 || chunk > ARGUMENTS_CHUNK)
			break;
		if (bpf_probe_read_user(record->arguments + i * ARGUMENTS_CHUNK, chunk, (void *)start + i * ARGUMENTS_CHUNK)) {
			record->info.flags |= length ? PROCESS_ARGUMENTS_CUT : PROCESS_ARGUMENTS_MISSING;
			break;
		}
		length += chunk;
		left -= chunk;
	}
	record->info.arguments_length = length;
}

/* Whether each worker's ring has room now: one that is told what another cannot be is told it again and again. */
static __always_inline int all_have_room(__u32 bytes)
{
	for (__u32 i = 0; i < SHARDS_MAX; i++) {
		void *ring;

		if (i >= shards)
			break;
		ring = ring_of(i);
		if (!ring)
			return 0;
		if (bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) - bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < bytes + RECORD_SPARE)
			return 0;
	}
	return 1;
}

/* Each worker keeps its own table of processes. 0 = all were told. */
static __always_inline int tell_workers(struct process_record *record, __u32 bytes)
{
	if (shards > 1 && !all_have_room(bytes))
		return 1;
	for (__u32 i = 0; i < SHARDS_MAX; i++) {
		void *ring;

		if (i >= shards)
			break;
		ring = ring_of(i);
		if (!ring || bpf_ringbuf_output(ring, record, bytes, wake_up_flags(ring, i)))
			return 1;
	}
	return 0;
}

/* 0 = user space has been told. */
static __noinline int tell_process(struct task_struct *task, __u32 process, __u64 start_time_ns, __u32 user_id)
{
	__u32 zero = 0, length;
	struct process_record *record = bpf_map_lookup_elem(&process_record, &zero);
	struct process_info *info;
	struct mm_struct *mm;

	if (!record)
		return 1;
	__builtin_memset(&record->event, 0, sizeof(record->event));
	info = &record->info;
	info->start_time_ns = start_time_ns;
	info->process = process;
	info->pid = BPF_CORE_READ(task, tgid);
	info->user_id = user_id;
	info->mount_namespace = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	info->flags = BPF_CORE_READ(task, flags) & KERNEL_THREAD ? PROCESS_KERNEL_THREAD : 0;
	info->arguments_length = 0;
	info->executable_at = PROCESS_PATH_MAX;
	info->reserved = 0;
	BPF_CORE_READ_INTO(&info->name, task, group_leader, comm);
	put_cgroup(info, BPF_CORE_READ(task, cgroups));
	mm = BPF_CORE_READ(task, mm);
	if (mm && !(info->flags & PROCESS_KERNEL_THREAD)) {
		put_executable(info, BPF_CORE_READ(mm, exe_file));
		put_arguments(record, mm);
	}
	record->event.time_ns = bpf_ktime_get_ns();
	record->event.kind = EVENT_PROCESS;
	record->event.data_offset = sizeof(record->event);
	length = info->arguments_length;
	if (length > PROCESS_ARGUMENTS_MAX)
		length = PROCESS_ARGUMENTS_MAX;
	length += sizeof(*info);
	record->event.captured_length = length;
	asm volatile("" : "+r"(length));
	if (length > sizeof(*info) + PROCESS_ARGUMENTS_MAX)
		return 1;
	return tell_workers(record, sizeof(record->event) + length);
}

#endif
