// Dereferences a look-up without checking it: the verifier must say so.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} unchecked SEC(".maps");

SEC("socket")
int accepted(struct __sk_buff *skb)
{
	return 0;
}

SEC("socket")
int refused(struct __sk_buff *skb)
{
	__u32 key = skb->len;
	__u64 *value = bpf_map_lookup_elem(&unchecked, &key);

	return *value; // no check for NULL
}

char LICENSE[] SEC("license") = "GPL";
