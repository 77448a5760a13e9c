// Global variables of each kind, and a struct whose layout user space reads from BTF.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct layout {
	__u8 kind;
	__u32 length;
	__s64 time;
	char name[16];
	__u16 low : 4, high : 12;
};

const volatile __u16 small = 7;
const volatile __s32 negative = -3;
const volatile _Bool enabled = 0;
const volatile __u64 wide = 1;
const volatile char label[8] = "abc";
volatile __u32 counter = 40;
volatile __u64 answer;
volatile struct layout last;

SEC("syscall")
int add(void *context)
{
	counter += small;
	answer = wide + (__u64)(__s64)negative + (enabled ? 100 : 0) + (__u8)label[0];
	last.length = counter;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
