// Counts the UDP packets to one port, at each place a program can see them.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

const volatile __u16 port = 9;
volatile __u64 tcx_count, xdp_count, tc_count, cgroup_count, socket_count;

static __always_inline int is_wanted(struct __sk_buff *skb, int ip_offset)
{
	struct iphdr ip;
	struct udphdr udp;

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return 0;
	if (bpf_skb_load_bytes(skb, ip_offset, &ip, sizeof(ip)) || ip.protocol != IPPROTO_UDP)
		return 0;
	if (bpf_skb_load_bytes(skb, ip_offset + sizeof(ip), &udp, sizeof(udp)))
		return 0;
	return udp.dest == bpf_htons(port);
}

SEC("tcx/ingress")
int count_tcx(struct __sk_buff *skb)
{
	if (is_wanted(skb, ETH_HLEN))
		__sync_fetch_and_add(&tcx_count, 1);
	return TC_ACT_UNSPEC;
}

// Lets the packet go on to the stack, past every TCX program behind this one.
SEC("tcx/ingress")
int stop(struct __sk_buff *skb)
{
	return TC_ACT_OK;
}

SEC("tc")
int count_tc(struct __sk_buff *skb)
{
	if (is_wanted(skb, ETH_HLEN))
		__sync_fetch_and_add(&tc_count, 1);
	return TC_ACT_UNSPEC;
}

SEC("cgroup_skb/ingress")
int count_cgroup_ingress(struct __sk_buff *skb)
{
	if (is_wanted(skb, 0))
		__sync_fetch_and_add(&cgroup_count, 1);
	return 1;
}

SEC("cgroup_skb/egress")
int count_cgroup_egress(struct __sk_buff *skb)
{
	if (is_wanted(skb, 0))
		__sync_fetch_and_add(&cgroup_count, 1);
	return 1;
}

SEC("socket")
int count_socket(struct __sk_buff *skb)
{
	if (is_wanted(skb, ETH_HLEN))
		__sync_fetch_and_add(&socket_count, 1);
	return 0;
}

SEC("xdp")
int count_xdp(struct xdp_md *context)
{
	void *data = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end;
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(udp + 1) > end)
		return XDP_PASS;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP) && ip->protocol == IPPROTO_UDP && udp->dest == bpf_htons(port))
		__sync_fetch_and_add(&xdp_count, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
