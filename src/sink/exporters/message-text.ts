// The line is searched, not parsed: that takes half the time. Nothing in a text of a record can look like these members: quotes in it are
// escaped; and no header can: its name stands before "[".
const STRING = String.raw`"((?:[^"\\]|\\.)*)"`
const URL_MEMBERS = new RegExp(String.raw`"url":\{(?:"scheme":${STRING},?)?(?:"domain":${STRING},?)?(?:"path":${STRING})?`)
const METHOD = /"http":\{"request":\{"method":"([^"\\]*)"/
const STATUS = /"response":\{"status_code":(\d+)/
const EVENT = /"event":\{"name":"([^"\\]*)"/
const KIND = /^\{"kind":"([a-z]{1,32})"/
const KIND_BYTES = 48

/** Kind of the record, with which a line begins; undefined where that field is not logged. */
export function kindOf(line: Buffer): string | undefined {
  return KIND.exec(line.toString('latin1', 0, KIND_BYTES))?.[1]
}

/** A line for people about a record, for servers that show one: `GET shop.example/cart 200`, `handshake answered`. */
export function messageText(line: Buffer): string {
  const text = line.toString()
  const event = EVENT.exec(text)?.[1]
  const [, , domain = '', path = ''] = URL_MEMBERS.exec(text) ?? []
  const words = text.includes('"http":{') ? [METHOD.exec(text)?.[1], unescaped(domain + path), STATUS.exec(text)?.[1], event]
    : [kindOf(line), event]
  return words.filter(word => word !== undefined && word !== '').join(' ') || 'record'
}

/** Status of the answer; undefined where there is none. */
export function statusOf(line: Buffer): number | undefined {
  const text = line.toString()
  const status = text.includes('"http":{') ? STATUS.exec(text)?.[1] : undefined
  return status === undefined ? undefined : Number(status)
}

function unescaped(text: string): string {
  return text.includes('\\') ? JSON.parse(`"${text}"`) as string : text
}
