// Counts the calls of one process, at each kind of probe; a uprobe tells its cookie.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 process = 0;
const volatile __u64 syscall_number = 0;
volatile __u64 tracepoint_count, raw_count, entry_count, return_count, cookie;

static __always_inline int is_wanted(void)
{
	return bpf_get_current_pid_tgid() >> 32 == process;
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int at_tracepoint(void *context)
{
	if (is_wanted())
		__sync_fetch_and_add(&tracepoint_count, 1);
	return 0;
}

SEC("raw_tp/sys_enter")
int at_raw_tracepoint(struct bpf_raw_tracepoint_args *context)
{
	if (is_wanted() && context->args[1] == syscall_number)
		__sync_fetch_and_add(&raw_count, 1);
	return 0;
}

SEC("uprobe")
int at_entry(void *context)
{
	if (is_wanted())
		__sync_fetch_and_add(&entry_count, 1);
	cookie = bpf_get_attach_cookie(context);
	return 0;
}

SEC("uretprobe")
int at_return(void *context)
{
	if (is_wanted())
		__sync_fetch_and_add(&return_count, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
