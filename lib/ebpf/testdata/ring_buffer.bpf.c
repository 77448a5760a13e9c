// Writes numbered records of varied sizes into a ring buffer; discards some; holds one back.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define SIZE_MIN 8
#define SIZE_SPAN 256
#define HUGE_BYTES (1 << 20)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[SIZE_MIN + SIZE_SPAN]);
} scratch SEC(".maps");

struct request {
	__u64 first;
	__u32 count;
	__u32 pad;
};

volatile __u64 written;
volatile __u64 dropped;
volatile __u32 held;
volatile __u32 release;

struct state {
	__u8 *bytes;
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
	*(__u64 *)bytes = sequence;
	if (bpf_ringbuf_output(&events, bytes, size, 0))
		dropped++;
	else
		written++;
	return 0;
}

SEC("syscall")
int write_records(struct request *request)
{
	struct state state = { .next = request->first };
	__u32 zero = 0;
	__u8 *bytes = bpf_map_lookup_elem(&scratch, &zero);

	if (!bytes)
		return 1;
	for (int at = SIZE_MIN; at < SIZE_MIN + SIZE_SPAN; at++)
		bytes[at] = at;
	bpf_loop(request->count, write_one, &state, 0);
	return 0;
}

// Every third record is discarded.
SEC("syscall")
int write_and_discard(struct request *request)
{
	for (int at = 0; at < 30; at++) {
		__u64 *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);

		if (!record)
			return 1;
		*record = at;
		if (at % 3 == 2)
			bpf_ringbuf_discard(record, 0);
		else
			bpf_ringbuf_submit(record, 0);
	}
	return 0;
}

static long until_released(__u32 index, void *context)
{
	return release ? 1 : 0;
}

// Reserves A, writes B, and submits A only when user space says so.
SEC("syscall")
int hold_one(struct request *request)
{
	__u64 second = 2;
	__u64 *first = bpf_ringbuf_reserve(&events, sizeof(*first), 0);

	if (!first)
		return 1;
	*first = 1;
	bpf_ringbuf_output(&events, &second, sizeof(second), 0);
	held = 1;
	for (int round = 0; round < 64; round++)
		if (bpf_loop(1 << 23, until_released, 0, 0) < (1 << 23))
			break;
	bpf_ringbuf_submit(first, 0);
	return 0;
}

static long write_huge(__u32 index, void *context)
{
	__u64 *sequence = context;
	__u64 *record = bpf_ringbuf_reserve(&events, HUGE_BYTES, 0);

	if (!record) {
		dropped++;
		return 1;
	}
	*record = (*sequence)++;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

// Records of 1 MiB, to move the positions far.
SEC("syscall")
int write_huge_records(struct request *request)
{
	__u64 sequence = request->first;

	bpf_loop(request->count, write_huge, &sequence, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
