import { FIELDS } from '../src/exchange/fields.ts'
import { CALLER_HEADERS, CLIENTS_COUNTED, columnsOf, COUNTED, HEADER_COLUMNS, QUANTILE_ERROR, ROWS_MAX } from '../src/store/mod.ts'

/** Body of docs/store.md: what a store is, and its columns from the field registry. */
export function storeMarkdown(): string {
  const rows = columnsOf(FIELDS).map(column => `| \`${column.name}\` | \`${column.field}\` | ${column.sqlType} |`)
  return `# The store

\`--output store:DIR\`, or in the config \`outputs: [{type: store, path: DIR}]\`, keeps records in a folder; \`lintel query\` asks it,
while the agent runs and after. What it keeps has passed the privacy wall, as every output.

\`\`\`
lintel run --output store:/var/lib/lintel/store
lintel query --store /var/lib/lintel/store 'http.response.status_code == 403 && "x-tenant-id" in http.request.header' --since 1h
lintel query --store /var/lib/lintel/store "SELECT http_request_header['x-tenant-id'][1] AS tenant, count(*) AS n,
  quantile_cont(duration, 0.99) AS p99 FROM exchanges WHERE time > ago(INTERVAL 1 DAY) GROUP BY 1 ORDER BY n DESC"
\`\`\`

Without \`--store\` the first store of \`--config FILE\` is read, else \`store\` in the data folder.

## What is in the folder
- \`journal-N.ndjson\`: batches as they came. A batch counts as written once it is here, with a checksum: it survives \`kill -9\` of the
  agent. It does not survive a loss of power within the seconds in which the kernel holds what was written.
- \`records-h-FIRST-LAST-FROM-TO-CRC.parquet\`: finished segments, Parquet compressed with zstd; any program that reads Parquet may read
  them. A name tells which journals a segment holds, from which to which time (milliseconds since 1970), and its CRC-32. Columns
  with few values are written with a dictionary (Parquet's own, chosen for each row group).
- \`rollup-VERSION-FIRST-LAST-CRC-CRC.parquet\`: what a segment's records come to, counted when it is made (the CRC-32 of the segment,
  then its own). The page reads these for whatever has no filter. They hold nothing that is not in the segment: one that is damaged, missing or of
  another version is left out, the segment read instead, and the agent makes it anew.
- \`spilled-0\`, \`spilled-1\`: folders of what packing could not hold in its memory (512 MiB each, twice), 8 GiB at most; gone when it is
  done, or at the next start.
- \`set-aside/\`: files that were damaged, or parts of them that could not be read. Nothing is removed from it.
- \`lock\`: held by the agent that writes; the kernel frees it however the agent ends. \`readers\`: held by queries; what is merged or too
  old is removed once no query runs.

A journal becomes a segment after \`segment.bytes\` or \`segment.age\`, in a process of its own at low priority. Small segments are merged
eight at a time. \`keep.age\` counts from the time of storing; \`keep.bytes\` counts all segments with their
roll-ups. The oldest go first.

An output that cannot keep up lets its queue fill (\`queue_bytes\`) and then drops whole batches, counted; capture and other outputs go on.

## Answers
**How fresh**: a query takes the folder as it is when it starts: finished segments and the journals, up to the last batch that was written.
The agent hands over a batch every 50 ms or every MiB.

**CEL**: the expression of \`--filter\`, with the same answers; see [KNOWN-ISSUES](../KNOWN-ISSUES.md) for what SQL cannot say the same. Records
come as lines of NDJSON as they were logged; the newest \`--limit\` of them in order of time, with \`--limit 0\` all, in no order.

**SQL**: begins with SELECT or WITH (or \`--sql\`), over the views \`records\` and \`exchanges\` (those of kind exchange), in DuckDB's dialect.
\`ago(INTERVAL 1 HOUR)\` is a time to compare with. Headers are maps of lower-case names to lists of values in order of arrival:
\`http_request_header['host'][1]\` is the first value. Some headers of requests have a column of their own for it, which is read faster:
\`http_request_header_x_tenant_id\`; they are listed below, and a CEL filter takes them by itself. Times are UTC.

SQL reads the store and nothing else: one SELECT, no files, no settings, no network, within \`--memory\` (1GiB), \`--timeout\` (60s) and
\`--limit\` (1000 rows). Ctrl-C ends it.

**Formats**: \`--format table\`, \`ndjson\`, \`csv\` (RFC 4180; lists and maps as JSON), \`parquet\` (redirect it into a file).

Damaged or foreign files are left out with a message, and the rest answers. The agent sets them aside when it starts.

## Roll-ups
By minute: requests by status, bytes, durations. By quarter of an hour: by method, host, client, user agent, route (with statuses, credentials,
clients), by who talks to whom, by what exchanges lack, and by the value of headers that name a caller
(${CALLER_HEADERS.map(name => `\`${name}\``).join(', ')}).

Counts, bytes, first and last times are those of the records, at any span: what a span holds of a slot only in part is counted in
the records. Durations are kept as a histogram that merges: quantiles are within ${QUANTILE_ERROR * 100} % of the exact
ones. Different clients and connections are counted exactly up to ${CLIENTS_COUNTED} (of a route, of two who talk: ${COUNTED}), with a standard error
of ${error(CLIENTS_COUNTED, 1)} % (${error(COUNTED, 0)} %) above. Of each slot, and each segment, the ${ROWS_MAX} most frequent
values are kept; the rest is \`(other)\`, and the page says how much that is. Routes are found for each segment.

## Columns
| column | field | type |
| --- | --- | --- |
${rows.join('\n')}
${HEADER_COLUMNS.map(({ name, header }) => `| \`${name}\` | first value of \`${header}\` in \`http.request.header\` | VARCHAR |`).join('\n')}
`
}

/** Of an estimate by so many least hashes; percent. */
function error(count: number, digits: number): string {
  return (100 / Math.sqrt(count)).toFixed(digits)
}
