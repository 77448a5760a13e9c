import { z } from 'zod'
import { httpOptions } from '../sink/http/mod.ts'
import { databaseSchema } from '../sink/mod.ts'

const { url, auth, headers, tls, proxy } = httpOptions

export const storeSchema = z.strictObject({
  engine: z.enum(['duckdb', 'clickhouse']).default('duckdb')
    .describe('What `lintel query`, `lintel web` and the page of a run ask when no store is named: `duckdb` = the first output of type store, ' +
      'here; `clickhouse` = a server.'),
  clickhouse: z.strictObject({
    url, auth, headers, tls, proxy,
    database: databaseSchema.describe('Database with the tables that `lintel clickhouse schema` makes.'),
  }).optional().describe('The server, and a user that may SELECT there and nothing else.'),
}).superRefine(({ engine, clickhouse }, context) => {
  if (engine === 'clickhouse' && clickhouse === undefined) {
    context.addIssue({ code: 'custom', path: ['clickhouse'], message: 'must be there with engine: clickhouse, e.g. {url: "http://clickhouse:8123"}' })
  }
})
