// Attaches a program everywhere it can, says the programs' ids, and stays until it is killed.
import { BpfObject, inNetworkNamespace, interfaceIndex } from '../mod.ts'

const [objectPath = '', namespace = '', cgroup = ''] = process.argv.slice(2)
const object = BpfObject.open(objectPath)
object.load()
const program = (name: string) => object.program(name)
inNetworkNamespace(namespace, () => {
  program('count_tcx').attachTcx(1, 'ingress')
  program('count_tcx').attachTcx(interfaceIndex('veth0'), 'egress')
  program('count_xdp').attachXdp(interfaceIndex('veth0'), 'native')
  program('count_xdp').attachXdp(1, 'generic')
  program('count_socket').attachSocketFilter(0)
})
program('count_cgroup_ingress').attachCgroup(cgroup, 'ingress')
program('count_cgroup_egress').attachCgroup(cgroup, 'egress')
const ids = [...object.programs.values()].map((each) => each.info().id)
process.stdout.write(`${JSON.stringify(ids)}\n`)
setInterval(() => undefined, 1000)
