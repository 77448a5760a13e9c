/**
 * process: who speaks at the local ends of connections.
 *
 * In    EVENT_PROCESS of the kernel programs (`bpf/process.bpf.c`); this host's /etc/passwd.
 * Out   a process with pid, program, arguments, user and cgroup, and what the cgroup's name says of container, pod and unit.
 * Drops nothing: what the kernel could not read is left out.
 *
 * @module
 */
export { placeOf } from './cgroup-place.ts'
export type { CgroupPlace } from './cgroup-place.ts'
export { readProcess } from './process-info.ts'
export type { ProcessInfo } from './process-info.ts'
export { UserNames } from './user-names.ts'
