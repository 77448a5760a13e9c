/**
 * The program `lintel`: one command, one file, loaded when it is called.
 *
 * @module
 */
import { Command, CommanderError } from 'commander'
import { addCaptureFlags, addOutputFlags, addReplayFlags, type CaptureFlags, type OutputFlags, type ReplayFlags } from './flags.ts'
import type { SchemaFlags } from './clickhouse.ts'
import { EXIT, exitWithoutReader, say, UsageError } from './exit.ts'
import type { QueryFlags } from './query.ts'
import { version } from './version.ts'
import type { WebFlags } from './web.ts'

const program = new Command('lintel')
  .description('Logs every HTTP header that crosses this machine, live, from the kernel.')
  .version(version(), '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .helpCommand('help [command]', 'print the help of a command')
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'lintel: error: ')) })
  .addHelpText('after', `
Exit codes: 0 done, 1 it could not do what was asked, or an output lost records, 2 it was asked wrongly
(a flag, the config file).
Start with: lintel run`)

/** commander hands these on to commands made by command(), not to those that were there before. */
function command(name: string, description: string): Command {
  return program.command(name).description(description)
}

addOutputFlags(addCaptureFlags(command('run', 'log live traffic; needs root')))
  .option('--web [address]', 'serve the page: live records, and the first store over time; 127.0.0.1:9465 unless given')
  .action(async (flags: CaptureFlags & OutputFlags) => (await import('./run.ts')).run(flags))

addOutputFlags(addCaptureFlags(command('watch', 'show live traffic line by line; "t" shows a summary, "q" quits; needs root')))
  .action(async (flags: CaptureFlags & OutputFlags) => (await import('./watch.ts')).watch(flags))

addOutputFlags(addReplayFlags(command('replay', 'log what capture files hold (pcap, pcapng, also compressed); needs no root')
  .argument('<file...>', 'capture files, in order of time; - is standard input')
  .option('--packets <file>', 'write the packets of the connections whose records are logged here as well, as they were: a pcapng file')))
  .action(async (files: string[], flags: ReplayFlags) => (await import('./replay.ts')).replay(files, flags))

command('query', 'ask a store (--output store:DIR): records that pass a CEL filter, or an SQL query over them')
  .argument('<expression>', 'CEL as for --filter, or SQL (SELECT ... FROM records); columns are fields with _ for dots')
  .option('-c, --config <file>', 'YAML config file: its first output of type store is read')
  .option('-s, --store <dir>', 'folder of the store')
  .option('--format <format>', 'table, ndjson, csv, parquet or har (HTTP Archive); none = table on a terminal, else ndjson')
  .option('--limit <rows>', 'rows at most, of a filter the newest; 0 = all', '1000')
  .option('--since <time>', 'only records of the last e.g. 1h')
  .option('--timeout <time>', 'end a query that takes longer', '60s')
  .option('--memory <size>', 'memory of the query at most', '1GiB')
  .option('--sql', 'the expression is SQL (it is anyway when it begins with SELECT or WITH)')
  .action(async (expression: string, flags: QueryFlags) => (await import('./query.ts')).query(expression, flags))

command('web', 'show a store (--output store:DIR) in a browser, for whoever has the token that is printed, or for users')
  .option('-c, --config <file>', 'YAML config file: its first output of type store is shown')
  .option('-s, --store <dir>', 'folder of the store')
  .option('--listen <address>', 'address and port; none = web.address of the config; beyond the loopback it needs web.tls and web.users')
  .option('--hash-password', 'print what web.users of the config needs, of a password from standard input')
  .action(async (flags: WebFlags) => (await import('./web.ts')).web(flags))

command('doctor', 'say what this kernel and these privileges allow, what is missing, and the mend')
  .action(async () => (await import('./doctor.ts')).doctor())

command('tls', 'list the processes that speak TLS: which are read, which are not, and why')
  .option('-c, --config <file>', 'YAML config file')
  .option('--format <format>', 'table or json', 'table')
  .action(async (flags: { config?: string, format: string }) => (await import('./tls.ts')).tls(flags))

command('fields', 'list the fields of records')
  .option('--format <format>', 'table, json or markdown', 'table')
  .action(async (flags: { format: string }) => (await import('./fields.ts')).fields(flags.format))

const config = command('config', 'check a config file, or print its JSON Schema')
config.command('check').description('say what is wrong with a config file, with place and mend')
  .argument('<file>', 'YAML file')
  .action(async (file: string) => (await import('./config.ts')).check(file))
config.command('schema').description('print the JSON Schema of config files, for editors')
  .action(async () => (await import('./config.ts')).schema())

const clickhouse = command('clickhouse', 'tables for records in a ClickHouse, for outputs of type clickhouse and kafka')
clickhouse.command('schema').description('print the statements that make the tables, or bring them up to date: ... | clickhouse-client')
  .option('--database <name>', 'database of the tables', 'lintel')
  .option('--days <number>', 'remove records after so many days; none = never')
  .option('--cluster <name>', 'make the tables on each server of a cluster, replicated')
  .option('--kafka-brokers <list>', 'read records from Kafka as well: HOST:PORT, more with commas between them')
  .option('--kafka-topic <topic>', 'topic that agents send to', 'lintel')
  .option('--kafka-group <name>', 'consumer group', 'clickhouse')
  .action(async (flags: SchemaFlags) => (await import('./clickhouse.ts')).schema(flags))

command('version', 'print the version')
  .action(() => { process.stdout.write(`lintel ${version()} (node ${process.versions.node})\n`) })

async function main(): Promise<number> {
  try {
    await program.parseAsync()
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    // Help and version come as errors with code 0; commander has printed the others already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (error instanceof Error && (error instanceof UsageError || error.name === 'ConfigError')) {
      say('error', error.message)
      return EXIT.usage
    }
    say('error', error instanceof Error ? error.message : String(error))
    if (process.env['LINTEL_DEBUG'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    return EXIT.failure
  }
}

exitWithoutReader()
process.exitCode = await main()
