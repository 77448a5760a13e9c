export const START = Date.parse('2026-05-01T10:07:31Z')
/** Between one and the next. */
export const EVERY_MS = 3000

/** With what is odd: no host, no status, no duration, none at all, a client of a proxy, an answer of no time. */
export function oddExchange(index: number, client = index % 37): string {
  const path = [`/users/${index}`, `/articles/${['a', 'b', 'c'][index % 3]}-title`, '/slow', `/things/${(index * 7).toString(36)}x/parts`,
    '/{any}/q', '/'][index % 6]
  return JSON.stringify({
    kind: index % 50 === 49 ? 'anomaly' : 'exchange', time: new Date(START + index * EVERY_MS).toISOString().replace('Z', '000000Z'),
    ...(index % 11 === 0 ? {} : { duration: index % 13 === 0 ? 0 : path === '/slow' ? 2 + index / 1000 : (index * 31 % 997 + 1) / 9000 }),
    event: { sequence: index + 1 },
    client: { address: `10.0.${client >> 8}.${client & 255}`, port: 40_000 + index % 3, ...(index % 9 === 0 ? { real_address: '192.0.2.7' } : {}) },
    server: { address: '10.0.0.9', port: 80, process: { executable: { name: 'nginx' } } },
    network: { protocol: { name: 'http', version: index % 4 === 0 ? '2' : '1.1' }, connection: { id: index % 50 } },
    url: { ...(index % 17 === 0 ? {} : { domain: index % 2 === 0 ? 'a.example' : "b'.example" }), path },
    http: {
      request: {
        method: index % 6 === 3 ? 'POST' : 'GET',
        header: {
          ...(index % 3 === 0 ? { 'x-tenant-id': [`t${index % 7}`, 'second'] } : {}),
          ...(index % 6 === 0 ? { authorization: ['Bearer REDACTED'] } : {}),
        },
      },
      response: {
        ...(index % 23 === 0 ? {} : { status_code: index % 19 === 0 ? 503 : index % 8 === 0 ? 404 : index % 29 === 0 ? 101 : 200 }),
        header: { server: ['x'] }, body: { size: index },
      },
    },
    ...(index % 5 === 0 ? {} : { user_agent: { original: index % 2 === 0 ? 'curl/8.0' : `Mozilla/5.0 (X${index % 12})` } }),
    ...(index % 7 === 3 ? { gen_ai: aiCall(index) } : {}),
    ...(index % 31 === 0 ? { marks: { 'http.response.body.size': 'cut' } } : {}),
  })
}

/** A model that no pattern should take for another, one that is not told by the answer, counts that are not told. */
function aiCall(index: number): object {
  return {
    operation: { name: 'chat' }, provider: { name: index % 2 === 0 ? 'openai' : 'anthropic' }, request: { model: ['model-[1]-x', 'model-1-x', '50%_'][index % 3] },
    ...(index % 4 === 0 ? {} : { response: { model: `model-[1]-${index % 5}` } }),
    ...(index % 9 === 0 ? {} : { usage: { input_tokens: index, output_tokens: index % 100, ...(index % 2 === 0 ? { cache_read: { input_tokens: index >> 1 } } : {}) } }),
  }
}
