-- For wrk: as many requests at once as the first argument says, one without; after the run, one line
-- that the benchmark reads.
init = function(args)
    local many = tonumber(args[1]) or 1
    if many > 1 then
        local whole = string.rep(wrk.format(), many)
        request = function() return whole end
    end
end

done = function(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("RESULT completed=%d duration=%d p50=%d p90=%d p99=%d p999=%d max=%d " ..
                           "connect=%d read=%d write=%d status=%d timeout=%d\n",
                           summary.requests, summary.duration, latency:percentile(50),
                           latency:percentile(90), latency:percentile(99),
                           latency:percentile(99.9), latency.max,
                           e.connect, e.read, e.write, e.status, e.timeout))
end
