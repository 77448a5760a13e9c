// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The programs of packets.bpf.c, counting messages where those hand them over: an object of its own, so that neither pays for the other. */
#define TALLY
#include "packets.bpf.c"
