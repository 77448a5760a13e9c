import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeOf } from './cgroup-place.ts'

const ID = 'ae8a9b1c2d3e4f5061728394a5b6c7d8e9f00112233445566778899aabbccdde'
const UID = '2c48913c-b29f-11e7-9350-020968147796'
const UNDERSCORED = UID.replaceAll('-', '_')
const STATIC_UID = '5f0d1e2c3b4a59687786958473625140'

const CASES: readonly [what: string, path: string, place: ReturnType<typeof placeOf>][] = [
  ['the root', '/', {}],
  ['a service of systemd', '/system.slice/nginx.service', { unit: 'nginx.service' }],
  ['an escaped name', '/system.slice/system-getty.slice/my\\x2dapi.service', { unit: 'my-api.service' }],
  ['a user\'s session', '/user.slice/user-1000.slice/session-3.scope', { unit: 'session-3.scope' }],
  ['a user\'s own service: the innermost', '/user.slice/user-1000.slice/user@1000.service/app.slice/node.service', { unit: 'node.service' }],
  ['Docker, systemd driver', `/system.slice/docker-${ID}.scope`, { containerId: ID, runtime: 'docker' }],
  ['Docker, cgroupfs driver', `/docker/${ID}`, { containerId: ID, runtime: 'docker' }],
  ['Docker, a cgroup below the container', `/docker/${ID}/system.slice/nginx.service`, { containerId: ID, runtime: 'docker', unit: 'nginx.service' }],
  ['nerdctl', `/system.slice/nerdctl-${ID}.scope`, { containerId: ID, runtime: 'containerd' }],
  ['containerd, its systemd driver left to itself', `/system.slice/containerd.service/kubepods:cri-containerd:${ID}`,
    { containerId: ID, runtime: 'containerd', unit: 'containerd.service' }],
  ['Podman', `/machine.slice/libpod-${ID}.scope`, { containerId: ID, runtime: 'podman' }],
  ['Podman, rootless, with a cgroup of its own inside', `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
    { containerId: ID, runtime: 'podman', unit: 'user@1000.service' }],
  ['Podman\'s monitor is no container', `/machine.slice/libpod-conmon-${ID}.scope`, { unit: `libpod-conmon-${ID}.scope` }],
  ['Kubernetes, containerd, burstable', `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UNDERSCORED}.slice/cri-containerd-${ID}.scope`,
    { containerId: ID, runtime: 'containerd', podUid: UID }],
  ['Kubernetes, best effort', `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${UNDERSCORED}.slice/cri-containerd-${ID}.scope`,
    { containerId: ID, runtime: 'containerd', podUid: UID }],
  ['Kubernetes, CRI-O, guaranteed', `/kubepods.slice/kubepods-pod${UNDERSCORED}.slice/crio-${ID}.scope`, { containerId: ID, runtime: 'cri-o', podUid: UID }],
  ['Kubernetes, cgroupfs driver', `/kubepods/burstable/pod${UID}/${ID}`, { containerId: ID, podUid: UID }],
  ['a static pod: its uid is a hash', `/kubepods/besteffort/pod${STATIC_UID}/${ID}`, { containerId: ID, podUid: STATIC_UID }],
  ['kind: a node that is a container', `/docker/${'b'.repeat(64)}/kubelet/kubepods/burstable/pod${UID}/${ID}`, { containerId: ID, runtime: 'docker', podUid: UID }],
  ['Kubernetes with Docker', `/kubepods.slice/kubepods-pod${UNDERSCORED}.slice/docker-${ID}.scope`, { containerId: ID, runtime: 'docker', podUid: UID }],
  ['digits that are too few', `/docker/${ID.slice(1)}`, {}],
  ['capitals are no id', `/docker/${ID.toUpperCase()}`, {}],
  ['a pod\'s name alone is none', '/kubepods/podcast', {}],
]

for (const [what, path, place] of CASES) {
  test(`a cgroup's path: ${what}`, () => { assert.deepEqual(placeOf(path), place) })
}
