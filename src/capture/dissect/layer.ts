/** Frames that had a header of this kind, counted once for each such header. Indexes of Counts. */
export const LAYER = {
  VLAN: 0,
  /** The second and later VLAN tags of a frame. */
  QINQ: 1,
  MPLS: 2,
  PPPOE: 3,
  VXLAN: 4,
  GENEVE: 5,
  GRE: 6,
  IPIP: 7,
  GTPU: 8,
  TEREDO: 9,
  L2TP: 10,
  AYIYA: 11,
  ERSPAN: 12,
  IPV4: 13,
  IPV6: 14,
  IPV4_FRAGMENT: 15,
  IPV6_FRAGMENT: 16,
  ARP: 17,
  WIFI: 18,
  REASSEMBLED: 19,
} as const
export type LAYER = (typeof LAYER)[keyof typeof LAYER]
