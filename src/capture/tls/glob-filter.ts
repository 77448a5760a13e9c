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

/** The kernel keeps no more of a process's name (TASK_COMM_LEN, include/linux/sched.h). */
const COMM_CHARACTERS = 15

/** The same for processes, each told by its name or its number. */
export function processFilter({ include, exclude }: GlobLists): (name: string, processId: number) => boolean {
  const matches = (lists: readonly string[], name: string, processId: number): boolean =>
    lists.some((each) => each.slice(0, COMM_CHARACTERS) === name || each === String(processId))
  return (name, processId) => (include.length === 0 || matches(include, name, processId)) && !matches(exclude, name, processId)
}
