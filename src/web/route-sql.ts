/** Paths whose routes are looked for, the most frequent first; the rest is one route, `(other)`. */
const PATHS_MAX = 20_000
/** Segments of a path that are looked at; what stands behind is `/...`. */
const DEPTH = 7
/** So many values in one place below one route make the place a parameter. */
const VALUES_MAX = 40

/** Segments that are parameters by their form alone. Placed in order; RE2, the whole segment. */
const FORMS: readonly (readonly [name: string, pattern: string])[] = [
  ['{number}', '-?[0-9]+'],
  ['{uuid}', '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'],
  ['{date}', '[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+Z?)?'],
  ['{hex}', '[0-9a-fA-F]*[0-9][0-9a-fA-F]*[a-fA-F][0-9a-fA-F]{6,}|[0-9a-fA-F]{16,}'],
  ['{email}', '[^@/]+@[^@/]+\\.[^@/]+'],
  ['{id}', '[A-Za-z0-9_=~.-]*[0-9][A-Za-z0-9_=~.-]{18,}'],
]

/**
 * SQL of a table `routed`: the exchanges of a question with a column `route`, the template of their path. A segment is a
 * parameter by its form (numbers, UUIDs, hexadecimal, ...), or because more than 40 values were seen in its place. Routes are found
 * anew for each question, from the 20,000 most frequent paths of its range.
 *
 * @param where condition over the columns of exchanges
 * @returns what stands behind WITH
 */
export function routedSql(where: string): string {
  const forms = FORMS.map(([name, pattern]) => `WHEN regexp_full_match(s, '${pattern}') THEN '${name}'`).join(' ')
  const levels = Array.from({ length: DEPTH }, (_, index) => {
    const at = index + 1
    return `route_${at} AS (SELECT url_path, s, CASE WHEN len(s) < ${at} THEN r
      WHEN s[${at}] NOT LIKE '{%' AND count(DISTINCT s[${at}]) OVER (PARTITION BY r, len(s)) > ${VALUES_MAX} THEN r || '/{any}'
      ELSE r || '/' || s[${at}] END AS r FROM route_${index})`
  })
  return `chosen AS (SELECT * FROM exchanges WHERE ${where}),
    paths AS (SELECT url_path, count(*) AS n FROM chosen WHERE url_path IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT ${PATHS_MAX}),
    route_0 AS (SELECT url_path, list_transform(string_split(ltrim(url_path, '/'), '/'), lambda s: CASE ${forms} ELSE s END) AS s, '' AS r
      FROM paths),
    ${levels.join(',\n')},
    routes AS (SELECT url_path, r || CASE WHEN len(s) > ${DEPTH} THEN '/...' ELSE '' END AS route FROM route_${DEPTH}),
    routed AS (SELECT chosen.*, CASE WHEN url_path IS NULL THEN '(none)' ELSE coalesce(route, '(other)') END AS route
      FROM chosen LEFT JOIN routes USING (url_path))`
}
