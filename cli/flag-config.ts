import type { z } from 'zod'
import { configSchema, type Config, type FileConfig } from '../src/config.ts'
import { captureSchema, interfaceSchema, ringBytesSchema, sampleSchema } from '../src/config/capture.ts'
import { fieldPatternSchema, headerPatternSchema, kindSchema } from '../src/config/choice.ts'
import { explain } from '../src/config/explain.ts'
import { filterSchema } from '../src/config/filter.ts'
import { workersSchema } from '../src/config/limits.ts'
import { cidrSchema, loopbackSchema, portSchema } from '../src/config/network.ts'
import { outputClashes, outputSchema } from '../src/config/output.ts'
import { readConfig } from '../src/config/read-config.ts'
import { webAddressSchema, webTrouble } from '../src/config/web.ts'
import { parseOutput } from '../src/sink/mod.ts'
import { durationSchema } from '../lib/units/mod.ts'
import { UsageError } from './exit.ts'
import type { CaptureFlags, OutputFlags, ReplayFlags } from './flags.ts'

/** The flags of a command that has none of them. */
const NO_FLAGS = { output: [], kind: [], field: [], header: [], port: [], include: [], exclude: [], decoder: [] } as const

type Flags = OutputFlags & Partial<CaptureFlags> & Pick<ReplayFlags, 'workers'>

/** The config file alone, or the defaults. @throws as `configFrom` */
export function configOf(path: string | undefined): Config {
  return configFrom({ ...NO_FLAGS, ...(path === undefined ? {} : { config: path }) })
}

/**
 * The config file (or the defaults) with the flags laid over it.
 *
 * @throws {ConfigError} for the file, {UsageError} for a flag; both say the mend
 */
export function configFrom(flags: Flags, files: readonly string[] = []): Config {
  const base: FileConfig = flags.config === undefined ? configSchema.parse({}) : readConfig(flags.config, configSchema)
  const filter = flags.filter === undefined ? base.filter : checked('filter', filterSchema, flags.filter)
  return {
    ...base,
    capture: captureFrom(base.capture, flags),
    kinds: flags.kind.length === 0 ? base.kinds : flags.kind.map(kind => checked('kind', kindSchema, kind)),
    fields: fieldsFrom(base.fields, flags.field),
    headers: headersFrom(base.headers, flags.header),
    decoders: flags.decoder.length === 0 ? base.decoders : [...flags.decoder],
    ...(filter === undefined ? {} : { filter }),
    outputs: outputsFrom(base.outputs, flags.output),
    metrics: metricsFrom(base.metrics, flags.metrics),
    web: webFrom(base.web, flags.web),
    stats: flags.stats === undefined ? base.stats : { interval: checked('stats', durationSchema({ min: '100ms', max: '24d' }), flags.stats) },
    exchanges: flags.openAfter === undefined ? base.exchanges
      : { open_after: checked('open-after', durationSchema({ min: '1ms', max: '24d' }), flags.openAfter) },
    ...(flags.workers === undefined ? {} : { workers: checked('workers', workersSchema, numeric(flags.workers)) }),
    files,
  }
}

/** `--duration`, in milliseconds. */
export function durationFrom(flags: Partial<CaptureFlags>): number | undefined {
  return flags.duration === undefined ? undefined : checked('duration', durationSchema({ min: '10ms', max: '24d' }), flags.duration)
}

/** The value of a flag by the schema of the same word in the config. */
export function checked<Schema extends z.ZodType>(flag: string, schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value, { error: explain })
  if (result.success) return result.data
  const message = result.error.issues.map(issue => issue.message).join('; ')
  // A filter is shown by its own message, with the place marked.
  const shown = typeof value === 'string' && flag !== 'filter' ? ` ${JSON.stringify(value)}` : ''
  throw new UsageError(`Cannot use --${flag}${shown}: ${message}`)
}

/** Numbers in flags are text; what is no number is left to the schema to complain about. */
function numeric(text: string): unknown {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)
}

function captureFrom(base: Config['capture'], flags: Flags): Config['capture'] {
  return {
    ...base,
    ...given('interfaces', flags.interface, value => checked('interface', interfaceSchema, value)),
    ...given('ports', flags.port, value => checked('port', portSchema, value)),
    ...given('protocols', flags.protocol, value => checked('protocol', captureSchema.shape.protocols.unwrap().element, value)),
    addresses: {
      ...base.addresses,
      ...given('include', flags.include, value => checked('include', cidrSchema, value)),
      ...given('exclude', flags.exclude, value => checked('exclude', cidrSchema, value)),
    },
    ...(flags.attach === undefined ? {} : { attach: checked('attach', captureSchema.shape.attach, flags.attach) }),
    ...(flags.transport === undefined ? {} : { transport: checked('transport', captureSchema.shape.transport, flags.transport) }),
    ...(flags.sample === undefined ? {} : { sample: checked('sample', sampleSchema, numeric(flags.sample)) }),
    // commander gives true where the flag is absent: then the config file decides.
    ...(flags.processes === false ? { processes: false } : {}),
    ...(flags.tls === false ? { tls: { ...base.tls, enabled: false } } : {}),
    ...(flags.ringBytes === undefined ? {} : { ring_bytes: checked('ring-bytes', ringBytesSchema, flags.ringBytes) }),
  }
}

function given<Key extends string, Value>(key: Key, values: readonly string[] | undefined, read: (value: string) => Value):
  Partial<Record<Key, Value[]>> {
  return values === undefined || values.length === 0 ? {} : { [key]: values.map(read) } as Record<Key, Value[]>
}

/** `!` in front takes away, else adds. */
function split(values: readonly string[]): { include: string[], exclude: string[] } {
  return {
    include: values.filter(value => !value.startsWith('!')),
    exclude: values.filter(value => value.startsWith('!')).map(value => value.slice(1)),
  }
}

function fieldsFrom(base: Config['fields'], flags: readonly string[]): Config['fields'] {
  const { include, exclude } = split(flags)
  const read = (value: string) => checked('field', fieldPatternSchema, value)
  return { include: [...base.include, ...include.map(read)], exclude: [...base.exclude, ...exclude.map(read)] }
}

function headersFrom(base: Config['headers'], flags: readonly string[]): Config['headers'] {
  const { include, exclude } = split(flags)
  const read = (value: string) => checked('header', headerPatternSchema, value)
  return { include: include.length === 0 ? base.include : include.map(read), exclude: [...base.exclude, ...exclude.map(read)] }
}

function outputsFrom(base: Config['outputs'], flags: readonly string[]): Config['outputs'] {
  if (flags.length === 0) return base
  const outputs = flags.map(text => {
    try {
      return checked('output', outputSchema, parseOutput(text))
    } catch (error) {
      if (error instanceof RangeError) throw new UsageError(error.message)
      throw error
    }
  })
  const [clash] = outputClashes(outputs)
  if (clash !== undefined) throw new UsageError(`Cannot use --output "${flags[clash.index]}": ${clash.message}`)
  return outputs
}

function metricsFrom(base: Config['metrics'], flag: string | undefined): Config['metrics'] {
  if (flag === undefined) return base
  return flag === 'off' ? { ...base, enabled: false } : { ...base, enabled: true, address: checked('metrics', loopbackSchema, flag) }
}

/** `--web` over the config's part; an address that is not the loopback's needs what only the file can give. */
export function webFrom(base: Config['web'], flag: string | true | undefined, name = 'web'): Config['web'] {
  if (flag === undefined) return base
  const web = { ...base, enabled: true, address: flag === true ? base.address : checked(name, webAddressSchema, flag) }
  const trouble = webTrouble(web)
  if (trouble !== undefined) throw new UsageError(`Cannot use --${name} "${String(flag)}": ${trouble}`)
  return web
}
