/**
 * Known header names → id, on bytes in any case: an open hash over the lower-cased first and last 16 bytes.
 * A name longer than 32 bytes is never known.
 */
import { reserve } from './allocator'
import * as id from './header-ids'

const SLOTS: u32 = 512 // power of two, four times the names
const SLOT_BYTES: usize = 48
const SLOT_FIRST: usize = 0
const SLOT_LAST: usize = 16
const SLOT_LENGTH: usize = 32
const SLOT_ID: usize = 34
const slots = reserve(SLOTS * (SLOT_BYTES as u32))

/** 16 bytes of ones, then 16 of zeros: a load at 16 - n keeps the first n bytes. */
const keepMask = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
], 16)

// @ts-ignore: decorator
@inline
function lower(bytes: v128): v128 {
  const isUpper = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x41)), i8x16.splat(26))
  return v128.or(bytes, v128.and(isUpper, i8x16.splat(0x20)))
}

// @ts-ignore: decorator
@inline
function firstBytes(name: usize, length: u32): v128 {
  const bytes = lower(v128.load(name))
  return length >= 16 ? bytes : v128.and(bytes, v128.load(keepMask + 16 - length))
}

// @ts-ignore: decorator
@inline
function lastBytes(name: usize, length: u32, first: v128): v128 {
  return length <= 16 ? first : lower(v128.load(name + length - 16))
}

// @ts-ignore: decorator
@inline
function slotOf(first: v128, last: v128, length: u32): u32 {
  let hash = i64x2.extract_lane(first, 0) ^ (i64x2.extract_lane(last, 1) * 0x1000193)
  hash = (hash + i64x2.extract_lane(first, 1) + (length as i64)) * 0x2545F4914F6CDD1D
  return ((hash >>> 32) as u32) & (SLOTS - 1)
}

/** Id of the name at `name`, 0 = not known. Reads up to 16 bytes from `name` on. */
export function nameId(name: usize, length: u32): u32 {
  if (length > 32 || length == 0) return 0
  const first = firstBytes(name, length)
  const last = lastBytes(name, length, first)
  let index = slotOf(first, last, length)
  while (true) {
    const slot = slots + (index as usize) * SLOT_BYTES
    const slotLength = load<u16>(slot, SLOT_LENGTH) as u32
    if (slotLength == 0) return 0
    if (slotLength == length) {
      const differs = v128.or(
        v128.xor(first, v128.load(slot, SLOT_FIRST)),
        v128.xor(last, v128.load(slot, SLOT_LAST)),
      )
      if (!v128.any_true(differs)) return load<u16>(slot, SLOT_ID) as u32
    }
    index = (index + 1) & (SLOTS - 1)
  }
}

const scratch = reserve(64)

function add(name: string, nameNumber: u32): void {
  const length = name.length
  for (let index = 0; index < length; index++) store<u8>(scratch + index, name.charCodeAt(index) as u8)
  const first = firstBytes(scratch, length)
  const last = lastBytes(scratch, length, first)
  let index = slotOf(first, last, length)
  while (load<u16>(slots + (index as usize) * SLOT_BYTES, SLOT_LENGTH) != 0) index = (index + 1) & (SLOTS - 1)
  const slot = slots + (index as usize) * SLOT_BYTES
  v128.store(slot, first, SLOT_FIRST)
  v128.store(slot, last, SLOT_LAST)
  store<u16>(slot, length as u16, SLOT_LENGTH)
  store<u16>(slot, nameNumber as u16, SLOT_ID)
}

add('content-length', id.HEADER_CONTENT_LENGTH)
add('transfer-encoding', id.HEADER_TRANSFER_ENCODING)
add('connection', id.HEADER_CONNECTION)
add('host', id.HEADER_HOST)
add('upgrade', id.HEADER_UPGRADE)
add('user-agent', id.HEADER_USER_AGENT)
add('content-type', id.HEADER_CONTENT_TYPE)
add('trailer', id.HEADER_TRAILER)
add('te', id.HEADER_TE)
add('expect', id.HEADER_EXPECT)
add('date', id.HEADER_DATE)
add('server', id.HEADER_SERVER)
add('accept', id.HEADER_ACCEPT)
add('accept-encoding', id.HEADER_ACCEPT_ENCODING)
add('accept-language', id.HEADER_ACCEPT_LANGUAGE)
add('cache-control', id.HEADER_CACHE_CONTROL)
add('content-encoding', id.HEADER_CONTENT_ENCODING)
add('location', id.HEADER_LOCATION)
add('referer', id.HEADER_REFERER)
add('origin', id.HEADER_ORIGIN)
add('etag', id.HEADER_ETAG)
add('vary', id.HEADER_VARY)
add('via', id.HEADER_VIA)
add('age', id.HEADER_AGE)
add('allow', id.HEADER_ALLOW)
add('range', id.HEADER_RANGE)
add('last-modified', id.HEADER_LAST_MODIFIED)
add('keep-alive', id.HEADER_KEEP_ALIVE)
add('proxy-connection', id.HEADER_PROXY_CONNECTION)
add('pragma', id.HEADER_PRAGMA)
add('authorization', id.HEADER_AUTHORIZATION)
add('proxy-authorization', id.HEADER_PROXY_AUTHORIZATION)
add('www-authenticate', id.HEADER_WWW_AUTHENTICATE)
add('proxy-authenticate', id.HEADER_PROXY_AUTHENTICATE)
add('authentication-info', id.HEADER_AUTHENTICATION_INFO)
add('cookie', id.HEADER_COOKIE)
add('set-cookie', id.HEADER_SET_COOKIE)
add('forwarded', id.HEADER_FORWARDED)
add('x-forwarded-for', id.HEADER_X_FORWARDED_FOR)
add('x-forwarded-proto', id.HEADER_X_FORWARDED_PROTO)
add('x-forwarded-host', id.HEADER_X_FORWARDED_HOST)
add('x-forwarded-port', id.HEADER_X_FORWARDED_PORT)
add('x-forwarded-prefix', id.HEADER_X_FORWARDED_PREFIX)
add('x-real-ip', id.HEADER_X_REAL_IP)
add('true-client-ip', id.HEADER_TRUE_CLIENT_IP)
add('cf-connecting-ip', id.HEADER_CF_CONNECTING_IP)
add('x-client-ip', id.HEADER_X_CLIENT_IP)
add('traceparent', id.HEADER_TRACEPARENT)
add('tracestate', id.HEADER_TRACESTATE)
add('baggage', id.HEADER_BAGGAGE)
add('b3', id.HEADER_B3)
add('x-b3-traceid', id.HEADER_X_B3_TRACEID)
add('x-b3-spanid', id.HEADER_X_B3_SPANID)
add('x-b3-parentspanid', id.HEADER_X_B3_PARENTSPANID)
add('x-b3-sampled', id.HEADER_X_B3_SAMPLED)
add('x-b3-flags', id.HEADER_X_B3_FLAGS)
add('uber-trace-id', id.HEADER_UBER_TRACE_ID)
add('x-amzn-trace-id', id.HEADER_X_AMZN_TRACE_ID)
add('x-cloud-trace-context', id.HEADER_X_CLOUD_TRACE_CONTEXT)
add('x-datadog-trace-id', id.HEADER_X_DATADOG_TRACE_ID)
add('x-datadog-parent-id', id.HEADER_X_DATADOG_PARENT_ID)
add('x-datadog-sampling-priority', id.HEADER_X_DATADOG_SAMPLING_PRIORITY)
add('x-datadog-origin', id.HEADER_X_DATADOG_ORIGIN)
add('x-datadog-tags', id.HEADER_X_DATADOG_TAGS)
add('sw8', id.HEADER_SW8)
add('sentry-trace', id.HEADER_SENTRY_TRACE)
add('grpc-trace-bin', id.HEADER_GRPC_TRACE_BIN)
add('newrelic', id.HEADER_NEWRELIC)
add('x-request-id', id.HEADER_X_REQUEST_ID)
add('x-correlation-id', id.HEADER_X_CORRELATION_ID)
add('request-id', id.HEADER_REQUEST_ID)
add('correlation-id', id.HEADER_CORRELATION_ID)
add('x-kong-request-id', id.HEADER_X_KONG_REQUEST_ID)
add('x-amzn-requestid', id.HEADER_X_AMZN_REQUESTID)
add('x-amz-apigw-id', id.HEADER_X_AMZ_APIGW_ID)
add('x-amz-request-id', id.HEADER_X_AMZ_REQUEST_ID)
add('x-amz-id-2', id.HEADER_X_AMZ_ID_2)
add('x-amz-cf-id', id.HEADER_X_AMZ_CF_ID)
add('cf-ray', id.HEADER_CF_RAY)
add('x-envoy-upstream-service-time', id.HEADER_X_ENVOY_UPSTREAM_SERVICE_TIME)
add('x-envoy-attempt-count', id.HEADER_X_ENVOY_ATTEMPT_COUNT)
add('x-ms-request-id', id.HEADER_X_MS_REQUEST_ID)
add('x-github-request-id', id.HEADER_X_GITHUB_REQUEST_ID)
add('x-vercel-id', id.HEADER_X_VERCEL_ID)
add('fly-request-id', id.HEADER_FLY_REQUEST_ID)
add('x-api-key', id.HEADER_X_API_KEY)
add('api-key', id.HEADER_API_KEY)
add('apikey', id.HEADER_APIKEY)
add('x-auth-token', id.HEADER_X_AUTH_TOKEN)
add('x-access-token', id.HEADER_X_ACCESS_TOKEN)
add('x-csrf-token', id.HEADER_X_CSRF_TOKEN)
add('x-xsrf-token', id.HEADER_X_XSRF_TOKEN)
add('x-amz-security-token', id.HEADER_X_AMZ_SECURITY_TOKEN)
add('x-session-id', id.HEADER_X_SESSION_ID)
add('x-goog-api-key', id.HEADER_X_GOOG_API_KEY)
add('x-vault-token', id.HEADER_X_VAULT_TOKEN)
add('x-gitlab-token', id.HEADER_X_GITLAB_TOKEN)
add('private-token', id.HEADER_PRIVATE_TOKEN)
add('x-amz-date', id.HEADER_X_AMZ_DATE)
add('x-amz-content-sha256', id.HEADER_X_AMZ_CONTENT_SHA256)
add('sec-websocket-key', id.HEADER_SEC_WEBSOCKET_KEY)
add('sec-websocket-accept', id.HEADER_SEC_WEBSOCKET_ACCEPT)
add('sec-websocket-version', id.HEADER_SEC_WEBSOCKET_VERSION)
add('sec-websocket-protocol', id.HEADER_SEC_WEBSOCKET_PROTOCOL)
add('sec-websocket-extensions', id.HEADER_SEC_WEBSOCKET_EXTENSIONS)
add('http2-settings', id.HEADER_HTTP2_SETTINGS)
add('alt-svc', id.HEADER_ALT_SVC)
add('strict-transport-security', id.HEADER_STRICT_TRANSPORT_SECURITY)
add('x-tenant-id', id.HEADER_X_TENANT_ID)
add('x-http-method-override', id.HEADER_X_HTTP_METHOD_OVERRIDE)
add('idempotency-key', id.HEADER_IDEMPOTENCY_KEY)
add('retry-after', id.HEADER_RETRY_AFTER)
add('grpc-timeout', id.HEADER_GRPC_TIMEOUT)
add('grpc-status', id.HEADER_GRPC_STATUS)
add('grpc-message', id.HEADER_GRPC_MESSAGE)
