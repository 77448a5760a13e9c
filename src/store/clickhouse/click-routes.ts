import { DEPTH, FORMS, PATHS_MAX, VALUES_MAX } from '../rollup/route-sql.ts'
import type { Matching } from '../view-sql/words.ts'
import { clickQuote } from './click-text.ts'

/**
 * `routedSql` of a store in ClickHouse's words: the same templates by the same rules. A table of WITH is worked out as often as it is named
 * here, so each level stands once, in the next, and counts the values of a place by a window.
 *
 * @returns what stands behind WITH: a table `routed`
 */
export function clickRouted({ where }: Matching): string {
  const forms = FORMS.map(([name, pattern]) => `match(s, ${clickQuote(`^(?:${pattern})$`)}), '${name}'`).join(', ')
  // A client that asks for "/{any}" would make one route of all.
  const segment = `multiIf(s = '{any}', '{"any"}', lengthUTF8(s) < 16 AND NOT match(s, '[0-9@]'), s, ${forms}, s)`
  let level = `SELECT url_path, arrayMap(s -> ${segment}, splitByChar('/', replaceRegexpOne(assumeNotNull(url_path), '^/+', ''))) AS s
    FROM (SELECT url_path, count() AS n FROM exchanges WHERE url_path IS NOT NULL AND (${where}) GROUP BY url_path
      ORDER BY n DESC, url_path LIMIT ${PATHS_MAX})`
  for (let place = 1; place <= DEPTH; place++) {
    const many = `uniqExact(s[${place}]) OVER (PARTITION BY arraySlice(s, 1, ${place - 1}), length(s)) > ${VALUES_MAX}`
    level = `SELECT url_path, if(length(s) >= ${place} AND is_many AND NOT startsWith(s[${place}], '{'),
      arrayConcat(arraySlice(s, 1, ${place - 1}), ['{any}'], arraySlice(s, ${place + 1})), s) AS s
      FROM (SELECT url_path, s, ${many} AS is_many FROM (${level}))`
  }
  return `routes AS (SELECT url_path, concat('/', arrayStringConcat(arraySlice(s, 1, ${DEPTH}), '/'), if(length(s) > ${DEPTH}, '/...', '')) AS found
      FROM (${level})),
    routed AS (SELECT chosen.*, multiIf(chosen.url_path IS NULL, '(none)', routes.found = '', '(other)', routes.found) AS route
      FROM (SELECT * FROM exchanges WHERE ${where}) AS chosen LEFT JOIN routes ON chosen.url_path = routes.url_path)`
}
