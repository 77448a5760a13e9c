import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Gateway } from '../../gateway/testing/gateway.ts'
import { Lintel } from '../../gateway/testing/lintel.ts'
import { run } from '../../gateway/testing/process.ts'
import { enginePath } from './engine-folder.ts'
import { freePort } from './free-port.ts'

/** So many go to each engine. */
export const REAL_EXCHANGES = 100_000
/** All engines of a run get the same; an older file is of an earlier run. */
const AGE_MS_MAX = 3_600_000

/** What a client may send as a value; of every 50 requests one has them all. */
export const HOSTILE_VALUES = [
  'a"b\\c\\n', '\u001b[31mred', 'k=v|x', '"}{"kind":"exchange","event":{"sequence":666}}', '\u2028\u{1f600}', '<script>', '[lintel@32473 id="x"] ', '%0d%0a', '${jndi:x}',
] as const

/**
 * NDJSON lines, one for each of 100,000 exchanges between wrk and nginx that a real agent logged on the loopback: methods, statuses,
 * queries, bodies and headers of many kinds, hostile ones among them. Needs root.
 */
export async function realExchanges(): Promise<readonly string[]> {
  const path = enginePath('exchanges.ndjson')
  if (!existsSync(path) || Date.now() - statSync(path).mtimeMs > AGE_MS_MAX) await record(path)
  return readFileSync(path, 'utf8').trimEnd().split('\n')
}

async function record(path: string): Promise<void> {
  const port = await freePort()
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${port}`], location: LOCATION })
  const lintel = await Lintel.configured(folder => `
outputs: [{type: file, path: ${folder}/log.ndjson, rotate: {bytes: 4GiB}}]
capture: {ports: [${port}], interfaces: [lo]}
`)
  const folder = mkdtempSync(join(tmpdir(), 'lintel-load-'))
  try {
    writeFileSync(join(folder, 'load.lua'), script())
    await run('wrk', ['-t1', '-c32', '-d600', '-s', join(folder, 'load.lua'), `http://127.0.0.1:${port}/`])
    assert.match(await lintel.stop(), /adds up/)
    const lines = readFileSync(join(lintel.directory, 'log.ndjson'), 'utf8').trimEnd().split('\n')
      .filter(line => line.startsWith('{"kind":"exchange"') && line.includes('"response":')).slice(0, REAL_EXCHANGES)
    assert.equal(lines.length, REAL_EXCHANGES)
    writeFileSync(`${path}.tmp`, `${lines.join('\n')}\n`)
    renameSync(`${path}.tmp`, path)
  } finally {
    await lintel.process.stop('SIGKILL')
    lintel.remove()
    await gateway.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const LOCATION = `
  add_header x-echo $http_x_hostile always; add_header set-cookie "session=secret; Path=/" always;
  location /missing { return 404 "none\\n"; }
  location /broken { return 503; }
  location /moved { return 301 /elsewhere; }
  location /empty { return 204; }
  return 200 "hello world\\n";
`

/** Lua's own way to write any byte. */
function luaText(text: string): string {
  return `"${[...Buffer.from(text)].map(byte => `\\${String(byte).padStart(3, '0')}`).join('')}"`
}

function script(): string {
  return `
local hostile = {${HOSTILE_VALUES.map(luaText).join(', ')}}
local methods = {"GET", "GET", "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}
local paths = {"/", "/api/v1/users/", "/missing/", "/broken", "/moved", "/empty", "/a%20b/\\195\\169/"}
local agents = {"curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0", "Prometheus/2.45", "python-requests/2.31"}
local n, answered = 0, 0
request = function()
  n = n + 1
  local method = methods[n % #methods + 1]
  local lines = {method .. " " .. paths[n % #paths + 1] .. n % 1000 .. "?page=" .. n % 17 .. "&token=secret HTTP/1.1",
    "Host: shop-" .. n % 5 .. ".example", "User-Agent: " .. agents[n % #agents + 1], "X-Request-ID: " .. n, "Authorization: Bearer secret" .. n}
  if n % 3 == 0 then lines[#lines + 1] = "traceparent: 00-" .. string.format("%032x-%016x", n, n) .. "-01" end
  if n % 50 == 0 then for _, value in ipairs(hostile) do lines[#lines + 1] = "X-Hostile: " .. value end end
  if n % 100 == 0 then lines[#lines + 1] = "X-Long: " .. string.rep("x", 4000) end
  local body = (method == "POST" or method == "PUT") and string.rep("b", n % 300) or ""
  if body ~= "" then lines[#lines + 1] = "Content-Length: " .. #body end
  return table.concat(lines, "\\r\\n") .. "\\r\\n\\r\\n" .. body
end
response = function()
  answered = answered + 1
  if answered >= ${REAL_EXCHANGES + 1000} then os.exit(0) end -- wrk itself would sleep to the end of its time
end
`
}
