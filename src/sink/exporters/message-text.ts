interface Shown {
  readonly kind?: string
  readonly event?: { readonly name?: string }
  readonly url?: { readonly domain?: string, readonly path?: string }
  readonly http?: { readonly request?: { readonly method?: string }, readonly response?: { readonly status_code?: number } }
}

/** A line for people about a record, for servers that show one: `GET shop.example/cart 200`, `handshake answered`. */
export function messageText(line: Buffer): string {
  const { kind, event, url, http } = JSON.parse(line.toString()) as Shown
  const words = http === undefined ? [kind, event?.name]
    : [http.request?.method, `${url?.domain ?? ''}${url?.path ?? ''}`, http.response?.status_code, event?.name]
  return words.filter(word => word !== undefined && word !== '').join(' ') || 'record'
}
