/** What is known of a frame beside its bytes. One object per source, rewritten for each frame. */
export class FrameMeta {
  /** The event's time_ns in two halves, so that 64 bits stay exact. */
  timeLow = 0
  timeHigh = 0
  interfaceIndex = 0
  /** HOOK_ of bpf/events.h. */
  hook = 0
  /** DIRECTION_ of bpf/events.h; where it is unknown and the frame tells, the event has the frame's. */
  direction = 0
  /** VLAN tags that the card has taken off, outermost first; they come before those in the frame. */
  vlan0 = 0
  vlan1 = 0
  vlanCount = 0
}
