/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Network headers as they lie in a packet. All integers are in network order. */
#ifndef LINTEL_HEADERS_H
#define LINTEL_HEADERS_H

#define TYPE_IPV4 0x0800
#define TYPE_ARP 0x0806
#define TYPE_BRIDGED 0x6558 /* transparent Ethernet bridging: GRE and Geneve that carry Ethernet */
#define TYPE_VLAN 0x8100
#define TYPE_IPV6 0x86dd
#define TYPE_MPLS 0x8847
#define TYPE_MPLS_MULTICAST 0x8848
#define TYPE_PPPOE_SESSION 0x8864
#define TYPE_VLAN_PROVIDER 0x88a8
#define TYPE_VLAN_OLD_QINQ 0x9100

#define PROTOCOL_HOP_BY_HOP 0
#define PROTOCOL_ICMP 1
#define PROTOCOL_IPIP 4
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_IPV6 41
#define PROTOCOL_ROUTING 43
#define PROTOCOL_FRAGMENT 44
#define PROTOCOL_GRE 47
#define PROTOCOL_AUTHENTICATION 51
#define PROTOCOL_ICMPV6 58
#define PROTOCOL_DESTINATION_OPTIONS 60
#define PROTOCOL_MOBILITY 135
#define PROTOCOL_HIP 139
#define PROTOCOL_SHIM6 140

#define PORT_GTPU 2152
#define PORT_TEREDO 3544
#define PORT_VXLAN 4789
#define PORT_GENEVE 6081
#define PORT_VXLAN_LINUX 8472 /* the default of Linux before IANA gave 4789; still what flannel uses */

#define TCP_FIN 1
#define TCP_SYN 2
#define TCP_RST 4
#define TCP_PSH 8
#define TCP_ACK 16

struct ethernet {
	__u8 destination[6];
	__u8 source[6];
	__be16 type;
};

struct vlan {
	__be16 tag;
	__be16 type;
};

struct ipv4 {
	__u8 version_length;
	__u8 tos;
	__be16 length;
	__be16 identification;
	__be16 fragment; /* flags (more fragments 0x2000), offset 0x1fff */
	__u8 ttl;
	__u8 protocol;
	__be16 checksum;
	__be32 source;
	__be32 destination;
};

struct ipv6 {
	__be32 version_class_flow;
	__be16 payload_length;
	__u8 next_header;
	__u8 hop_limit;
	__be32 source[4];
	__be32 destination[4];
};

struct ipv6_extension {
	__u8 next_header;
	__u8 length; /* in units of 8 bytes after the first 8; AH: of 4 bytes after the first 8 */
};

struct ipv6_fragment {
	__u8 next_header;
	__u8 reserved;
	__be16 offset; /* 13 bits of offset, 2 reserved, more fragments */
	__be32 identification;
};

struct tcp {
	__be16 source;
	__be16 destination;
	__be32 sequence;
	__be32 acknowledgement;
	__u8 offset_reserved; /* header length in words << 4 | 3 reserved bits | AE (RFC 9768) */
	__u8 flags;
	__be16 window;
	__be16 checksum;
	__be16 urgent;
};

struct udp {
	__be16 source;
	__be16 destination;
	__be16 length;
	__be16 checksum;
};

struct vxlan {
	__u8 flags; /* 0x08: the VNI is valid (RFC 7348 section 5) */
	__u8 reserved[3];
	__be32 vni; /* << 8 */
};

struct geneve {
	__u8 version_options; /* 2 bits of version, 6 of options length in words (RFC 8926 section 3.4) */
	__u8 flags;
	__be16 type;
	__be32 vni; /* << 8 */
};

struct gre {
	__be16 flags; /* C 0x8000, R 0x4000, K 0x2000, S 0x1000, version 7 (RFC 2784, RFC 2890) */
	__be16 type;
};

struct arp {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender[4];
	__u8 target_mac[6];
	__u8 target[4];
};

#endif
