/** What lib/msgpack/packer.ts shares with wasm/pack.ts. Plain numbers, read by AssemblyScript and TypeScript alike. */
/** Containers inside each other, at most. */
export const PACK_DEPTH_MAX = 64
/** Result of packJson and packMembers: what is there is no compact JSON. */
export const PACK_ODD = -1
