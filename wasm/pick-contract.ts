/**
 * What lib/record/member-picker.ts shares with wasm/pick.ts. Plain numbers, read by AssemblyScript and TypeScript alike.
 */
// The table of a picker: a hash table of children, open addressing.
export const PICK_MASK = 0 // u32: slots - 1; slots are a power of two, more than the children
export const PICK_COUNT = 4 // u32: members asked for
export const PICK_SPANS = 8 // u32: address of the spans
export const PICK_SLOTS = 16 // u32 x slots: address of a child, 0 = free
// A span, by member: offsets in the line; start 0 = the member is not there.
export const SPAN_START = 0 // u32
export const SPAN_END = 4 // u32
export const SPAN_BYTES = 8
// A child: a key that is asked for in one group.
export const CHILD_KEY = 0 // u32: address of the key
export const CHILD_KEY_LENGTH = 4 // u16
export const CHILD_NODE = 6 // u16: number of the group that it stands in; 0 = the record
export const CHILD_BELOW = 8 // u16: number of the group that it is
export const CHILD_MEMBER = 10 // u16: place in the members; NO_MEMBER = it is a group
export const CHILD_STAYS = 12 // u8: 1 = it is left in the rest as well
export const CHILD_FIT = 13 // u8: FIT_*
export const CHILD_BYTES = 16
export const NO_MEMBER = 0xffff
/** Groups inside each other, at most. */
export const PICK_DEPTH_MAX = 8

// Values that are taken; others stay in the rest, as if they were not asked for.
export const FIT_ANY = 0
export const FIT_WORD = 1 // a text or a number
export const FIT_IPV4 = 2 // a text in the form of an IPv4 address
export const FIT_IP = 3 // that, or in the form of an IPv6 address

/** Result of pickMembers: the line is no object in the encoder's form. */
export const PICK_ODD = -1
/** What the line and the rest need behind them: reads and copies go 16 bytes at a time. */
export const PICK_SLACK = 32
