import { useEffect, useState } from 'preact/hooks'

export type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value }
export type Row = readonly Value[]

/** Answer of /api/view/NAME. */
export interface ViewAnswer {
  readonly rows: readonly Row[]
  readonly bucketMs: number
  readonly notes: readonly string[]
}

export interface Asked<Answer> {
  readonly answer?: Answer
  readonly error?: string
  /** The answer shown is that of the question before. */
  readonly isWaiting: boolean
}

/** Asks the server. @throws {Error} with its words */
export async function ask<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(path, { ...(signal === undefined ? {} : { signal }), headers: { accept: 'application/json' } })
  if (response.status === 401) location.reload() // the session is over: the form asks for the token
  const answer = await response.json() as Answer & { readonly error?: string }
  if (!response.ok) throw new Error(answer.error ?? `the server said ${response.status}`)
  return answer
}

/** The answer to a question that changes; undefined asks nothing. */
export function useAnswer<Answer>(path: string | undefined): Asked<Answer> {
  const [asked, setAsked] = useState<Asked<Answer>>({ isWaiting: true })
  useEffect(() => {
    if (path === undefined) return
    const abort = new AbortController()
    setAsked(before => ({ ...before, isWaiting: true }))
    ask<Answer>(path, abort.signal).then(
      answer => { if (!abort.signal.aborted) setAsked({ answer, isWaiting: false }) },
      (error: Error) => { if (!abort.signal.aborted) setAsked({ error: error.message, isWaiting: false }) },
    )
    return () => { abort.abort() }
  }, [path])
  return asked
}
