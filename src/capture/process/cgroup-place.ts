/** What the name of a cgroup says of the process in it. */
export interface CgroupPlace {
  /** 64 hexadecimal digits. */
  readonly containerId?: string
  /** OpenTelemetry's container.runtime.name: docker, containerd, cri-o, podman, ... */
  readonly runtime?: string
  /** UUID with dashes; of a static pod the 32 digits of its hash. */
  readonly podUid?: string
  /** The innermost service, scope or the like. */
  readonly unit?: string
}

const CONTAINER = /^(?:(docker|cri-containerd|crio|libpod|nerdctl|containerd)-)?([0-9a-f]{64})(?:\.scope)?$/
/** `kubepods-burstable-pod<uid>.slice` (systemd driver, dashes of the uid as underscores), `pod<uid>` (cgroupfs driver). */
const POD = /^(?:kubepods(?:-besteffort|-burstable|-guaranteed)?-)?pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/
const UNIT = /\.(?:service|scope)$/
const RUNTIME_OF: Readonly<Record<string, string>> = {
  'docker': 'docker', 'cri-containerd': 'containerd', 'containerd': 'containerd', 'nerdctl': 'containerd', 'crio': 'cri-o', 'libpod': 'podman',
}
/** Folders of the cgroupfs driver in which containers stand under their id alone. */
const RUNTIME_FOLDERS: Readonly<Record<string, string>> = {
  docker: 'docker', libpod_parent: 'podman', machine: 'podman', crio: 'cri-o', containerd: 'containerd',
}

/**
 * Reads a cgroup's path. The forms are those of runc's and crun's cgroup drivers under Docker, containerd, CRI-O, Podman and the
 * kubelet, and of systemd (systemd.slice(5), systemd.unit(5) for the escapes).
 */
export function placeOf(path: string): CgroupPlace {
  const names = path.split('/').filter((name) => name !== '')
  const place: { -readonly [K in keyof CgroupPlace]: CgroupPlace[K] } = {}
  for (const [index, name] of names.entries()) {
    // containerd's systemd driver left to itself names `slice:prefix:id`.
    const parts = name.split(':')
    const container = CONTAINER.exec(parts.at(-1)!)
    if (container !== null) {
      place.containerId = container[2]!
      const runtime = RUNTIME_OF[container[1] ?? parts.at(-2) ?? ''] ?? RUNTIME_FOLDERS[names[index - 1] ?? '']
      if (runtime !== undefined) place.runtime = runtime
      continue
    }
    const pod = POD.exec(name)
    if (pod !== null) place.podUid = pod[1]!.replaceAll('_', '-')
    else if (UNIT.test(name)) place.unit = unescaped(name)
  }
  return place
}

/** `\x2d` stands for a dash in a unit's name. */
function unescaped(name: string): string {
  return name.replaceAll(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
