// Attaches to a tracepoint of its own system calls, in a mount namespace with tracefs, and says what it saw.
import { BpfObject } from '../mod.ts'

const object = BpfObject.open(process.argv[2] ?? '')
object.globals('.rodata').set('process', process.pid)
object.load()
const program = object.program('at_tracepoint')
const link = program.attachTracepoint('syscalls', 'sys_enter_getppid')
const callGetppid = (times: number): void => {
  for (let call = 0; call < times; call += 1) void process.ppid
}
callGetppid(5)
link.detach()
callGetppid(5)
let refusal = ''
try {
  program.attachTracepoint('syscalls', 'sys_enter_nothing')
} catch (error) {
  refusal = (error as Error).message
}
process.stdout.write(JSON.stringify({
  kind: link.kind, count: Number(object.globals('.bss').get('tracepoint_count')), refusal,
}))
object.close()
