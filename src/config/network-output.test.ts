import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { configSchema } from '../config.ts'
import { ConfigError } from './config-error.ts'
import { parseConfig } from './read-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-network-output-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const SECRET = 'open-sesame-42'

function complaint(text: string): string {
  try {
    parseConfig(Buffer.from(text), 'c.yaml', configSchema)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'ok'
}

/** A config with one webhook, whose keys are `lines`. */
function webhook(...lines: string[]): string {
  return ['outputs:', '  - type: webhook', '    spool: {path: /s}', ...lines.map(line => `    ${line}`), ''].join('\n')
}

const URL = 'url: https://logs.example/in'
const noPem = join(folder, 'no.pem')
writeFileSync(noPem, 'nothing\n')
const empty = join(folder, 'empty')
writeFileSync(empty, '\n')
const two = join(folder, 'two')
writeFileSync(two, `${SECRET}\nx: y\n`)

const CASES: readonly (readonly [config: string, complaint: RegExp])[] = [
  [webhook(URL), /^ok$/],
  [webhook('url: logs.example/in'), /^c\.yaml:4:10: outputs\[0\]\.url: must (be an address, e\.g\. https|begin with http)/],
  [webhook('url: ftp://logs.example/in'), /url: must begin with http:\/\/ or https:\/\/$/],
  [webhook(`url: https://u:${SECRET}@logs.example/in`), /url: must not contain a user or password: secrets come from auth/],
  [webhook('uri: https://x'), /there is no such key; did you mean "url"\?/],
  [webhook(URL, 'spol: {path: /s}'), /^c\.yaml:5:5: outputs\[0\]\.spol: there is no such key; did you mean "spool"\?/],
  ['outputs: [{type: webhook, url: "http://x"}]', /outputs\[0\]\.spool: must be a section: .*; it is missing/],
  [webhook(URL, 'spool_bytes: 3'), /there is no such key/],
  [webhook(URL, `auth: {bearer: ${SECRET}}`), /^c\.yaml:5:20: outputs\[0\]\.auth\.bearer: must say where the secret is to be had: \{env: NAME\} or \{file: PATH\}$/],
  [webhook(URL, 'auth: {bearer: {env: LINTEL_NOT_SET}}'), /^c\.yaml:5:20: .*names the environment variable LINTEL_NOT_SET, which is not set: set it for lintel/],
  [webhook(URL, `auth: {bearer: {file: ${folder}/none}}`), /names the file ".*none", which cannot be read: there is no such file; give the path of one/],
  [webhook(URL, `auth: {bearer: {file: ${empty}}}`), /names the file ".*empty", which is empty: write the secret into it/],
  [webhook(URL, `auth: {bearer: {file: ${two}}}`), /names the file ".*two", which has a line break or control character in it: one line is wanted/],
  [webhook(URL, 'auth: {}'), /auth: must be one of basic and bearer/],
  [webhook(URL, 'headers: {Authorization: x}'), /headers\.Authorization: is set by lintel: use auth for credentials/],
  [webhook(URL, 'headers: {"a b": x}'), /headers\.a b: is no header name/],
  [webhook(URL, 'headers: {a: "x\\r\\ny: z"}'), /headers\.a: must not contain line breaks/],
  [webhook(URL, `tls: {ca: ${folder}/none.pem}`), /^c\.yaml:5:15: outputs\[0\]\.tls\.ca: names the file ".*none\.pem", which cannot be read: there is no such file/],
  [webhook(URL, `tls: {ca: ${noPem}}`), /tls\.ca: names the file ".*no\.pem", which is no certificate in PEM/],
  [webhook(URL, `tls: {cert: ${noPem}}`), /tls\.key: must come with the other|tls.*must come with the other/],
  [webhook(URL, 'spool: {path: /t}'), /must not have the same key twice/],
  [`${webhook(URL)}  - {type: webhook, ${URL}, spool: {path: /s}}\n`, /must not write to \/s as outputs\[0\] does/],
  [`${webhook(URL)}  - {type: webhook, ${URL}, spool: {path: /t}}\n`, /must have a name of its own: "webhook:logs\.example" is outputs\[0\]; add name: to one of them/],
  [`${webhook(URL)}  - {type: webhook, ${URL}, name: b, spool: {path: /t}}\n`, /^ok$/],
  [webhook(URL, 'compression: zstd'), /^ok$/],
  [webhook(URL, 'compression: zstd').replace('webhook', 'loki'), /compression: must be none or gzip; it is "zstd"/],
  [webhook(URL, 'labels: {kind: a}').replace('webhook', 'loki'), /labels\.kind: is the record's kind: choose another name/],
  [webhook(URL, 'token: {env: PATH}', 'auth: {bearer: {env: PATH}}').replace('webhook', 'splunk_hec'), /auth: must be left out/],
  [webhook(URL, 'api_key: {env: PATH}', 'auth: {bearer: {env: PATH}}').replace('webhook', 'elasticsearch'), /api_key: must not come with auth/],
  [webhook(URL, 'fields: {include: [http.request, "tls.*"], exclude: [/header$/]}'), /^ok$/],
  [webhook(URL, 'fields: {exclude: [url.pth]}'), /^c\.yaml:5:24: outputs\[0\]\.fields\.exclude\[0\]: must be a field that exists: there is no "url\.pth"; did you mean "url\.path"/],
  [webhook(URL, 'fields: {include: []}'), /fields\.include: must name one field at least; leave it out for all/],
  [webhook(URL, 'fields: {only: [url]}'), /fields\.only: there is no such key/],
  ['outputs: [{type: file, path: /f, fields: {exclude: [url.query]}}]', /^ok$/],
  ['outputs: [{type: store, path: /f, fields: {exclude: [url.query]}}]', /fields: there is no such key/],
  [webhook(URL, 'data_stream: Logs').replace('webhook', 'elasticsearch'), /data_stream: must be lower-case letters/],
]

for (const [config, expected] of CASES) {
  test(`network output: ${config.replaceAll(folder, '').replaceAll(/\s+/g, ' ').slice(9, 120)}`, () => {
    const said = complaint(config)
    assert.match(said, expected)
    assert.ok(!said.includes(SECRET), said)
  })
}
