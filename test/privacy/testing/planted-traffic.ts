import { secretFor } from './secret-search.ts'
import type { Secret } from './secret-search.ts'

/** One exchange with a secret in it: what the client and the server send, byte for byte. */
export interface Planted {
  readonly secret: Secret
  readonly request: string
  readonly response: string
}

type Write = (secret: Secret) => string | readonly [request: string, response: string]

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const b64 = (text: string): string => Buffer.from(text).toString('base64')
const b64url = (text: string): string => Buffer.from(text).toString('base64url')
const percent = (text: string): string => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

/** A request with one more header. */
const header = (line: string): string => `GET /h HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`
const target = (text: string): string => `GET ${text} HTTP/1.1\r\nHost: a\r\n\r\n`
/** An answer with one more header. */
const answer = (line: string): readonly [string, string] => [target('/r'), `HTTP/1.1 200 OK\r\n${line}\r\nContent-Length: 0\r\n\r\n`]

const PLACES: Readonly<Record<string, Write>> = {
  'authorization, bearer': ({ plain }) => header(`Authorization: Bearer ${plain}`),
  'authorization, basic': ({ plain }) => header(`authorization: Basic ${b64(`user:${plain}`)}`),
  'authorization, digest': ({ plain }) => header(`Authorization: Digest username="u", response="${plain}"`),
  'authorization without a scheme': ({ plain }) => header(`AUTHORIZATION: ${plain}`),
  'authorization, folded': ({ plain }) => header(`Authorization: Bearer\r\n ${plain}`),
  'authorization, space before the colon': ({ plain }) => header(`Authorization : Bearer ${plain}`),
  'authorization, tab before the colon': ({ plain }) => header(`Authorization\t: ${plain}`),
  'authorization, space before the name': ({ plain }) => `GET /h HTTP/1.1\r\n Authorization: Bearer ${plain}\r\nHost: a\r\n\r\n`,
  'authorization without a colon': ({ token }) => header(`Authorization Bearer ${token}`),
  'authorization, bare line feeds': ({ plain }) => `GET /lf HTTP/1.1\nHost: a\nAuthorization: ${plain}\n\n`,
  'authorization behind a bare CR': ({ plain }) => header(`X-A: b\rAuthorization: Bearer ${plain}`),
  'authorization twice': ({ plain }) => header(`Authorization: Bearer x\r\nAuthorization: ${plain}`),
  'proxy-authorization': ({ plain }) => header(`Proxy-Authorization: Negotiate ${b64(plain)}`),
  'cookie': ({ plain }) => header(`Cookie: theme=dark; sid=${plain}; lang=en`),
  'cookie, quoted': ({ plain }) => header(`Cookie: sid="${plain}"`),
  'cookie without a name': ({ plain }) => header(`Cookie: ${plain}`),
  'set-cookie': ({ plain }) => answer(`Set-Cookie: sid=${plain}; Path=/; Secure`),
  'set-cookie, attribute': ({ plain, token }) => answer(`Set-Cookie: sid=1; Path=/${token}; Note=${plain}`),
  'x-api-key': ({ plain }) => header(`X-Api-Key: ${plain}`),
  'x-auth-token': ({ plain }) => header(`X-Auth-Token: ${plain}`),
  'x-amz-security-token': ({ plain }) => header(`X-Amz-Security-Token: ${plain}`),
  'custom header': ({ token }) => header(`X-Note: see ${token} there`),
  'custom header, percent-encoded': ({ token }) => header(`X-Note: ${percent(token)}`),
  'custom header, base64': ({ token }) => header(`X-Note: ${b64(`note ${token}`)}`),
  'custom header, base64url': ({ token }) => header(`X-Note: ${b64url(token)}`),
  'custom header, JSON': ({ plain }) => header(`X-Context: {"a":1,"password":"${plain}"}`),
  'custom header of 100,000 bytes': ({ token }) => header(`X-Note: ${'word '.repeat(20_000)}${token}`),
  'header name': ({ token }) => header(`X-${token}: 1`),
  'user-agent': ({ token }) => header(`User-Agent: tool/1.0 (${token})`),
  'x-request-id': ({ token }) => header(`X-Request-ID: ${token}`),
  'x-forwarded-for': ({ token }) => header(`X-Forwarded-For: ${token}, 10.0.0.1`),
  'baggage': ({ token }) => header(`Baggage: key=${token}`),
  'tracestate': ({ token }) => header(`traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\ntracestate: a=${token}`),
  'sec-websocket-protocol': ({ token }) => header(`Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.${b64url(token)}, v4`),
  'referer, query': ({ plain }) => header(`Referer: https://a.example/cb?x=1&access_token=${plain}#y`),
  'referer, fragment': ({ plain }) => header(`Referer: https://a.example/cb#access_token=${plain}`),
  'referer, user info': ({ plain }) => header(`Referer: https://user:${plain}@a.example/`),
  'referer, path': ({ token }) => header(`Referer: https://a.example/${token}/x`),
  'location': ({ plain }) => answer(`Location: https://a.example/cb?code=${plain}&state=1`),
  'location, user info': ({ plain }) => answer(`Location: ftp://user:${plain}@a.example/`),
  'link': ({ token }) => answer(`Link: </x?token=${token}>; rel=next`),
  'query': ({ plain }) => target(`/q?a=1&password=${plain}&b=2`),
  'query, upper case': ({ plain }) => target(`/q?API_KEY=${plain}`),
  'query, name encoded': ({ plain }) => target(`/q?%70assword=${plain}`),
  'query, value encoded': ({ plain }) => target(`/q?secret=${percent(plain)}`),
  'query, signature': ({ plain }) => target(`/q?X-Amz-Signature=${plain}&X-Amz-Date=1`),
  'query, separated by semicolons': ({ plain }) => target(`/q?a=1;token=${plain};b=2`),
  'query, ordinary name': ({ token }) => target(`/q?q=${token}`),
  'query, base64': ({ token }) => target(`/q?q=${encodeURIComponent(b64(token))}`),
  'path': ({ token }) => target(`/repos/${token}/x`),
  'path, encoded': ({ token }) => target(`/repos/${percent(token)}/x`),
  'path parameter': ({ plain }) => target(`/p;jsessionid=${plain}/x`),
  'fragment': ({ plain }) => target(`/f#access_token=${plain}`),
  'absolute-form, user info': ({ plain }) => target(`http://user:${plain}@a.example/abs`),
  'absolute-form, user info encoded': ({ plain }) => target(`http://user:${percent(plain)}@a.example/abs`),
  'absolute-form, path': ({ token }) => target(`http://a.example/${token}`),
  'connect, user info': ({ plain }) => [`CONNECT user:${plain}@a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n`, 'HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n'],
  'host, user info': ({ plain }) => `GET /host HTTP/1.1\r\nHost: user:${plain}@a.example\r\n\r\n`,
  'host, user info with an at sign': ({ plain }) => `GET /host HTTP/1.1\r\nHost: user:a@${plain}=@a.example\r\n\r\n`,
  'x-forwarded-host, user info': ({ plain }) => header(`X-Forwarded-Host: user:${plain}@a.example:80`),
  'forwarded, user info': ({ plain }) => header(`Forwarded: for=10.0.0.1;host="user:${plain}@a.example"`),
  'host': ({ token }) => `GET /host HTTP/1.1\r\nHost: ${token}.example\r\n\r\n`,
  'method': ({ token }) => `${token} /method HTTP/1.1\r\nHost: a\r\n\r\n`,
  'reason phrase': ({ token }) => [target('/reason'), `HTTP/1.1 200 ${token}\r\nContent-Length: 0\r\n\r\n`],
  'request trailer': ({ plain }) =>
    `POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nAuthorization: Bearer ${plain}\r\n\r\n`,
  'response trailer': ({ plain, token }) => [target('/t'),
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nSet-Cookie: sid=${plain}\r\nX-Sum: ${token}\r\n\r\n`],
  'chunk extension': ({ plain, token }) => [target('/e'),
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;key="${plain}"\r\nx\r\n0;${token}\r\n\r\n`],
  'bodies': ({ plain, token }) => [`POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: ${plain.length}\r\n\r\n${plain}`,
    `HTTP/1.1 200 OK\r\nContent-Length: ${token.length}\r\n\r\n${token}`],
  'interim response': ({ plain, token }) => [target('/i'),
    `HTTP/1.1 103 ${token}\r\nSet-Cookie: sid=${plain}\r\nLink: </${token}>\r\n\r\n${OK}`],
  'malformed request line': ({ plain, token }) => `GET /m ${plain} ${token}\r\nHost: a\r\n\r\n`,
  'malformed version': ({ plain }) => `GET /m HTTP/${plain}\r\nHost: a\r\n\r\n`,
  'malformed status line': ({ plain, token }) => [target('/m'), `HTTP/1.1 2x0 ${plain} ${token}\r\n\r\n`],
  'malformed chunk size': ({ plain }) => [target('/m'), `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${plain}\r\nx\r\n0\r\n\r\n`],
  'malformed content-length': ({ token }) => header(`Content-Length: ${token}`),
  'malformed header line': ({ token }) => header(`no colon ${token}`),
  'not HTTP at all': ({ plain }) => `\x16\x03\x01${plain}\r\n\r\n`,
  'a NUL in the value': ({ plain }) => header(`Authorization: Bearer a\0${plain}`),
  'head without end': ({ plain }) => `GET /endless HTTP/1.1\r\nAuthorization: Bearer ${plain}\r\nX-A: `,
  'head over the bound': ({ plain, token }) =>
    `GET /long HTTP/1.1\r\nHost: a\r\nX-Pad: ${'p'.repeat(300_000)}\r\nAuthorization: ${plain}\r\nX-Note: ${token}\r\n\r\n`,
  'more fields than the bound': ({ plain, token }) =>
    `GET /fields HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(9000)}Authorization: ${plain}\r\nX-Note: ${token}\r\n\r\n`,
  'upgraded connection': ({ plain, token }) => [
    'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    `HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nGET /${token} HTTP/1.1\r\nAuthorization: ${plain}\r\n\r\n`],
}

/** Every place a secret can stand in, each with a secret of its own. */
export function plantedTraffic(): Planted[] {
  return Object.entries(PLACES).map(([place, write]) => {
    const secret = secretFor(place)
    const written = write(secret)
    return typeof written === 'string' ? { secret, request: written, response: OK } : { secret, request: written[0], response: written[1] }
  })
}
