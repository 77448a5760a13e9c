import { configSchema } from '../src/config.ts'
import { configJsonSchema } from '../src/config/json-schema.ts'
import { readConfig } from '../src/config/read-config.ts'

/** `lintel config check FILE`. @throws {ConfigError} with every problem */
export function check(file: string): void {
  readConfig(file, configSchema)
  process.stdout.write(`${file}: ok\n`)
}

/** `lintel config schema`. */
export function schema(): void {
  process.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`)
}
