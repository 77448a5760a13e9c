/** What is wanted: everything, or what `include` matches; never what `exclude` matches. `*` stands for any characters. */
export interface GlobLists { readonly include: readonly string[]; readonly exclude: readonly string[] }

/** @returns whether a text is wanted */
export function globFilter({ include, exclude }: GlobLists): (text: string) => boolean {
  const included = include.map(patternOf)
  const excluded = exclude.map(patternOf)
  return (text) => (included.length === 0 || included.some((each) => each.test(text))) && !excluded.some((each) => each.test(text))
}

/** Compiled once, from the configuration. */
function patternOf(glob: string): RegExp {
  return new RegExp(`^${glob.split('*').map((part) => RegExp.escape(part)).join('[^]*')}$`)
}
