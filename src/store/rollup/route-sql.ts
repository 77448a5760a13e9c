/** Paths whose routes are looked for, the most frequent first; the rest is one route, `(other)`. */
export const PATHS_MAX = 20_000
/** Segments of a path that are looked at; what stands behind is `/...`. */
export const DEPTH = 7
/** So many values in one place below one route make the place a parameter. */
export const VALUES_MAX = 40

/**
 * Segments that are parameters by their form alone. Placed in order; RE2, the whole segment. DuckDB is asked the same in a cheaper way,
 * its length first; and for a digit before 18 other characters RE2 would have to follow every digit, 30 us a segment.
 */
export const FORMS: readonly (readonly [name: string, pattern: string, cheaper?: (matches: string) => string])[] = [
  ['{number}', '-?[0-9]+'],
  ['{uuid}', '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}', matches => `len(s) = 36 AND ${matches}`],
  ['{date}', '[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+Z?)?', matches => `len(s) >= 10 AND ${matches}`],
  ['{hex}', '[0-9a-fA-F]*[0-9][0-9a-fA-F]*[a-fA-F][0-9a-fA-F]{6,}|[0-9a-fA-F]{16,}', matches => `len(s) >= 8 AND ${matches}`],
  ['{email}', '[^@/]+@[^@/]+\\.[^@/]+', matches => `contains(s, '@') AND ${matches}`],
  ['{id}', '[A-Za-z0-9_=~.-]*[0-9][A-Za-z0-9_=~.-]{18,}',
    () => `len(s) >= 19 AND regexp_full_match(s, '[A-Za-z0-9_=~.-]+') AND regexp_matches(s[:-19], '[0-9]')`],
]

interface RoutedFrom {
  /** A table with a column `url_path`. */
  readonly from?: string
  readonly pathsMax?: number
  /** The exchanges are read once, and those that are meant held in memory; otherwise twice. */
  readonly isHeld?: boolean
}

/**
 * SQL of a table `routed`: the exchanges of a question with a column `route`, the template of their path. A segment is a
 * parameter by its form (numbers, UUIDs, hexadecimal, ...), or because more than 40 values were seen in its place. Routes are found
 * anew for each question, from the 20,000 most frequent paths of its range.
 *
 * @param where condition over the columns of exchanges
 * @returns what stands behind WITH
 */
export function routedSql(where: string, { from = 'exchanges', pathsMax = PATHS_MAX, isHeld = false }: RoutedFrom = {}): string {
  return `chosen AS ${isHeld ? '' : 'NOT '}MATERIALIZED (SELECT * FROM ${from} WHERE ${where}),
    paths AS MATERIALIZED (SELECT url_path, count(*) AS n FROM chosen WHERE url_path IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT ${pathsMax}),
    ${routesSql(false)},
    routed AS NOT MATERIALIZED (SELECT chosen.*, CASE WHEN url_path IS NULL THEN '(none)' ELSE coalesce(route, '(other)') END AS route
      FROM chosen LEFT JOIN routes USING (url_path))`
}

/**
 * The same of routes that were found in parts of a store, each by itself: a place is a parameter in all of them when it is one in
 * any, or when it is one by all of them together.
 *
 * @param from a table with a column `url_path` (a route) and a count `n`
 */
export function reroutedSql(from: string): string {
  return `paths AS MATERIALIZED (SELECT url_path, sum(n) AS n FROM ${from} WHERE url_path LIKE '/%' GROUP BY 1 ORDER BY n DESC, 1 LIMIT ${PATHS_MAX}),
    ${routesSql(true)},
    rerouted AS NOT MATERIALIZED (SELECT ${from}.*, CASE WHEN url_path LIKE '/%' THEN coalesce(route, '(other)') ELSE url_path END AS route
      FROM ${from} LEFT JOIN routes USING (url_path))`
}

/** SQL of a table `routes`: a route for each of `paths`, which were routes before, or are as clients sent them. */
function routesSql(wereRoutes: boolean): string {
  const forms = FORMS.map(([name, pattern, cheaper = matches => matches]) => (
    `WHEN ${cheaper(`regexp_full_match(s, '${pattern}')`)} THEN '${name}'`)).join(' ')
  // A client that asks for "/{any}" would make one route of all.
  // Most words need no pattern to be told from a parameter: without a digit or an @ only a long one can be one.
  const segment = wereRoutes ? 's' : `CASE WHEN s = '{any}' THEN '{"any"}' WHEN len(s) < 16 AND NOT regexp_matches(s, '[0-9@]') THEN s
    ${forms} ELSE s END`
  const levels = Array.from({ length: DEPTH }, (_, index) => {
    const at = index + 1
    return `many_${at} AS (SELECT r, len(s) AS n FROM route_${index} WHERE len(s) >= ${at} GROUP BY ALL
        HAVING count(DISTINCT s[${at}]) > ${VALUES_MAX}${wereRoutes ? ` OR bool_or(s[${at}] = '{any}')` : ''}),
      route_${at} AS MATERIALIZED (SELECT shape, s, CASE WHEN len(s) < ${at} THEN before.r
        WHEN many.n IS NOT NULL AND s[${at}] NOT LIKE '{%' THEN before.r || '/{any}' ELSE before.r || '/' || s[${at}] END AS r
        FROM route_${index} AS before LEFT JOIN many_${at} AS many ON many.r = before.r AND many.n = len(s))`
  })
  // By shape: most paths differ in their numbers and identifiers only.
  return `shaped AS MATERIALIZED (SELECT url_path, array_to_string(list_transform(string_split(ltrim(url_path, '/'), '/'), lambda s: ${segment}), '/')
      AS shape FROM paths),
    route_0 AS MATERIALIZED (SELECT shape, '' AS r, string_split(shape, '/') AS s FROM (SELECT DISTINCT shape FROM shaped)),
    ${levels.join(',\n')},
    routes AS (SELECT url_path, r || CASE WHEN len(s) > ${DEPTH} THEN '/...' ELSE '' END AS route FROM shaped JOIN route_${DEPTH} USING (shape))`
}
