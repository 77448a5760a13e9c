-- The same request, and at the end the percentiles in microseconds, which `wrk --latency` prints only up to 99.
dofile("headers.lua")
function done(summary, latency)
  print(string.format("percentiles: %d %d %d", latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
