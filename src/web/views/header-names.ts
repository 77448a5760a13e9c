import type { View } from '../view.ts'

/** Names of headers seen, for completion; of the newest exchanges only, so that it costs little. */
const NEWEST = 20_000

export const headerNames: View = {
  name: 'header-names',
  title: 'Header names',
  columns: [{ title: 'Header', unit: 'text' }, { title: 'Exchanges', unit: 'count' }],
  narrow: '% in http.request.header || % in http.response.header',
  newest: NEWEST,
  sql: ({ words, where, limit }) => `SELECT name, count(*) AS n FROM (SELECT
    ${words.unnest(words.keysOf('http_request_header', 'http_response_header'))} AS name
    FROM exchanges WHERE ${where}
      AND "time" >= (SELECT min("time") FROM (SELECT "time" FROM exchanges WHERE ${where} ORDER BY "time" DESC LIMIT ${NEWEST})))
    GROUP BY 1 ORDER BY n DESC, 1 LIMIT ${limit}`,
}
