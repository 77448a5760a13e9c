/** What hindered a round of packing: the name it is counted under, and words with a mend. DuckDB tells errno in its texts only. */
export function packTrouble(error: unknown): { readonly reason: string, readonly message: string } {
  const text = (error as Error).message.split('\n')[0] as string
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (/ENOSPC|EDQUOT/.test(code) || /no space left|quota exceeded/i.test(text)) {
    return { reason: 'disk full', message: 'Cannot pack the store: no space left on the disk; free some, or lower outputs[].keep' }
  }
  if (/out of memory/i.test(text)) return { reason: 'out of memory', message: `Cannot pack the store: ${text}; lower outputs[].segment.bytes` }
  return { reason: 'packing failed', message: `Cannot pack the store: ${text}` }
}
