// Writes numbered, timed records of varied sizes into a perf buffer.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define SIZE_MIN 16
#define SIZE_SPAN 256

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[SIZE_MIN + SIZE_SPAN]);
} scratch SEC(".maps");

volatile __u64 written;
volatile __u64 dropped;

struct state {
	void *context;
	__u64 next;
};

static long write_one(__u32 index, void *context)
{
	struct state *state = context;
	__u64 sequence = state->next++;
	__u32 size = SIZE_MIN + ((sequence * 2654435761u >> 8) & (SIZE_SPAN - 1));
	__u32 zero = 0;
	__u8 *bytes = bpf_map_lookup_elem(&scratch, &zero);

	if (!bytes)
		return 1;
	*(__u64 *)bytes = bpf_ktime_get_ns();
	*(__u64 *)(bytes + 8) = sequence;
	if (bpf_perf_event_output(state->context, &events, BPF_F_CURRENT_CPU, bytes, size))
		dropped++;
	else
		written++;
	return 0;
}

// Arguments: the first sequence number, and how many.
SEC("raw_tp")
int write_records(struct bpf_raw_tracepoint_args *context)
{
	struct state state = { .context = context, .next = context->args[0] };
	__u32 zero = 0;
	__u8 *bytes = bpf_map_lookup_elem(&scratch, &zero);

	if (!bytes)
		return 1;
	for (int at = SIZE_MIN; at < SIZE_MIN + SIZE_SPAN; at++)
		bytes[at] = at;
	bpf_loop(context->args[1], write_one, &state, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
