import { basename } from 'node:path'
import type { RecordWriter } from '../../lib/record/mod.ts'
import type { CgroupPlace, ProcessInfo } from '../capture/mod.ts'
import { fieldId } from './fields.ts'

/** Which end of a connection a process is. */
export type ProcessRole = 'client' | 'server'

/** What is known of a container besides its id. */
export interface ContainerNames {
  /** Image as it was asked for, e.g. `nginx:1.27`. */
  readonly image?: string
  readonly name?: string
  readonly podName?: string
  readonly podNamespace?: string
}

/** All that stands in a record of one process. */
export interface KnownProcess {
  readonly info: ProcessInfo
  readonly place: CgroupPlace
  readonly owner: string | undefined
  readonly names: ContainerNames
}

/** Stands for the arguments behind the bound. */
const ELLIPSIS = Buffer.from('\0…')
const decoder = new TextDecoder('latin1')

const idsOf = (role: ProcessRole) => ({
  pid: fieldId(`${role}.process.pid`),
  title: fieldId(`${role}.process.title`),
  executableName: fieldId(`${role}.process.executable.name`),
  executablePath: fieldId(`${role}.process.executable.path`),
  commandLine: fieldId(`${role}.process.command_line`),
  owner: fieldId(`${role}.process.owner`),
  userId: fieldId(`${role}.process.user.id`),
  cgroup: fieldId(`${role}.process.linux.cgroup`),
  unit: fieldId(`${role}.systemd.unit`),
  containerId: fieldId(`${role}.container.id`),
  containerName: fieldId(`${role}.container.name`),
  imageName: fieldId(`${role}.container.image.name`),
  runtime: fieldId(`${role}.container.runtime.name`),
  podNamespace: fieldId(`${role}.k8s.namespace.name`),
  podName: fieldId(`${role}.k8s.pod.name`),
  podUid: fieldId(`${role}.k8s.pod.uid`),
})
const IDS = { client: idsOf('client'), server: idsOf('server') } as const satisfies Record<ProcessRole, unknown>

/** Writes what is known of a process as one end's fields; what is not known is left out. */
export function writeProcess(writer: RecordWriter, role: ProcessRole, { info, place, owner, names }: KnownProcess): void {
  const ids = IDS[role]
  const text = (id: number, value: string | Uint8Array | undefined): void => {
    if (value !== undefined && value.length > 0) writer.string(id, value)
  }
  writer.int(ids.pid, info.pid)
  text(ids.title, info.title)
  // A thread of the kernel has no executable; its title is its name.
  text(ids.executableName, info.executable === undefined ? info.title : lastName(info.executable))
  text(ids.executablePath, info.executable)
  text(ids.commandLine, info.arguments !== undefined && info.argumentsCut ? Buffer.concat([info.arguments, ELLIPSIS]) : info.arguments)
  text(ids.owner, owner)
  writer.int(ids.userId, info.userId)
  text(ids.cgroup, info.cgroup)
  text(ids.unit, place.unit)
  text(ids.containerId, place.containerId)
  text(ids.containerName, names.name)
  text(ids.imageName, names.image)
  text(ids.runtime, place.runtime)
  text(ids.podNamespace, names.podNamespace)
  text(ids.podName, names.podName)
  text(ids.podUid, place.podUid)
}

function lastName(path: Uint8Array): Uint8Array {
  return Buffer.from(basename(decoder.decode(path)), 'latin1')
}
