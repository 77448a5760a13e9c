// One map of each kind the tests use, and a program that writes into two of them.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct lpm_key {
	__u32 prefix_bits;
	__u8 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} pairs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lpm_key);
	__type(value, __u32);
} networks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} per_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1000);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u32);
} shared SEC(".maps");

SEC("raw_tp")
int write_maps(void *context)
{
	__u32 key = 1, last = 999;
	__u32 *mine = bpf_map_lookup_elem(&per_cpu, &key);
	__u32 *seen = bpf_map_lookup_elem(&shared, &last);
	__u32 *from_user = bpf_map_lookup_elem(&shared, &key);

	if (!mine || !seen || !from_user)
		return 1;
	*mine += 1;
	*seen = *from_user + 1;
	// Referenced, so that the object keeps them.
	bpf_map_lookup_elem(&numbers, &key);
	bpf_map_lookup_elem(&pairs, &key);
	struct lpm_key address = { .prefix_bits = 32 };
	bpf_map_lookup_elem(&networks, &address);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
