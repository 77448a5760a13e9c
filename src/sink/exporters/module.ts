import { z } from 'zod'
import { durationSchema } from '../../../lib/units/mod.ts'
import { type DeliveryConfig, deliveryOptions, NetworkSink } from '../delivery/mod.ts'
import { GuardedExporter } from '../module/guarded-exporter.ts'
import { loadExporter } from '../module/load-exporter.ts'
import { sharedOptions, type SharedOptions, type SinkKind } from '../sink-kind.ts'

/** @throws {Error} with what is wrong with the file, and the mend */
function openOwn({ path, options, timeout }: ModuleOptions): { exporter: GuardedExporter, name: string } {
  const own = loadExporter(path)
  try {
    return { exporter: new GuardedExporter(own, options, timeout), name: own.name }
  } catch (error) {
    throw new Error(`Cannot open the exporter "${path}": ${(error as Error).message}`, { cause: error })
  }
}

export const moduleKind = {
  type: 'module',
  schema: z.strictObject({
    type: z.literal('module'),
    ...sharedOptions,
    path: z.string({ error: 'must be a path' }).min(1, 'must not be empty').refine(path => !path.includes('\0'), 'must not contain NUL')
      .describe('File of the exporter, TypeScript or JavaScript; taken from the folder that lintel is started in.'),
    options: z.record(z.string(), z.unknown()).optional().describe('What the exporter is given; its own to say which keys there are.'),
    timeout: durationSchema({ min: '100ms', max: '1h' }).prefault('2m')
      .describe('A batch that the exporter is not done with by then counts as not taken.'),
    ...deliveryOptions,
  }).superRefine((options, context) => {
    try {
      openOwn(options).exporter.close()
    } catch (error) {
      const { message } = error as Error
      const isOfOptions = message.startsWith('Cannot open') && options.options !== undefined
      context.addIssue({ code: 'custom', path: [isOfOptions ? 'options' : 'path'], message })
    }
  }).describe('An exporter of your own, by the path of its file: docs/exporters.md.'),
  short: () => undefined,
  open: (options, host) => {
    const { exporter, name } = openOwn(options)
    return new NetworkSink({ ...options, name: options.name ?? name }, exporter, host)
  },
} satisfies SinkKind<ModuleOptions>

interface ModuleOptions extends SharedOptions, DeliveryConfig {
  readonly type: 'module'
  readonly path: string
  readonly options?: Readonly<Record<string, unknown>> | undefined
  readonly timeout: number
}
