/** What a file system may answer, by error code: the name it is counted under, and what it means with its mend. */
const TROUBLE = new Map<string, readonly [reason: string, mend: string]>([
  ['ENOSPC', ['disk full', 'no space left on the disk; free some, or lower outputs[].rotate and outputs[].keep']],
  ['EDQUOT', ['disk full', 'the disk quota is used up; raise it, or lower outputs[].rotate and outputs[].keep']],
  ['EIO', ['input/output error', 'the disk reports an input/output error; look into "dmesg"']],
  ['EROFS', ['read-only', 'the file system is mounted read-only; choose another path or remount it']],
  ['EACCES', ['not permitted', 'permission denied; choose another path or change the owner of the folder']],
  ['EPERM', ['not permitted', 'not permitted, the file may be immutable (lsattr shows it); choose another path']],
  ['ENOENT', ['folder missing', 'the folder does not exist and cannot be made']],
  ['ENOTDIR', ['folder missing', 'a part of the path is a file, not a folder; choose another path']],
  // mkdir(2) of a folder whose name a file has.
  ['EEXIST', ['folder missing', 'a part of the path is a file, not a folder; choose another path']],
  ['EISDIR', ['is a folder', 'it is a folder; add a file name, e.g. "/requests.ndjson"']],
  ['ELOOP', ['symbolic link', 'it is a symbolic link, which is not followed for safety; give the path it leads to']],
  ['EMFILE', ['too many open files', 'too many open files; raise "ulimit -n"']],
  ['EAGAIN', ['reader too slow', 'whoever reads it is too slow']],
  ['EFBIG', ['file too large', 'the file is as large as the file system or "ulimit -f" allows; lower outputs[].rotate.bytes']],
])

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error'
}

/** Name of the trouble, as the records that it costs are counted under. */
export function reasonOf(error: unknown): string {
  return TROUBLE.get(codeOf(error))?.[0] ?? codeOf(error)
}

/** The trouble in words, with its mend. */
export function explain(error: unknown): string {
  const known = TROUBLE.get(codeOf(error))
  return known === undefined ? (error as Error).message : `${known[1]} (${codeOf(error)})`
}
