-- For wrk: `-- paths FILE` requests the paths in FILE in turn, `-- orders BOOKS PREFIX KEY` orders one copy of a random
-- book with the Idempotency-Keys PREFIX-1, PREFIX-2, ... and the API key KEY. Prints the totals as one line of JSON.

local function next_path(file)
    local requests, number = {}, 0
    for path in io.lines(file) do
        requests[#requests + 1] = wrk.format("GET", path)
    end
    return function()
        number = number % #requests + 1
        return requests[number]
    end
end

local function next_order(books, prefix, key)
    local headers = {["Content-Type"] = "application/json", ["X-API-Key"] = key, Host = wrk.headers.Host}
    local number = 0
    math.randomseed(os.time())
    return function()
        number = number + 1
        headers["Idempotency-Key"] = prefix .. "-" .. number
        local book = math.random(0, books - 1)
        local body = '{"customer_id":"bench","items":[{"product_id":' .. book .. ',"quantity":1}]}'
        return wrk.format("POST", "/orders", headers, body)
    end
end

function init(arguments)
    if arguments[1] == "paths" then
        request = next_path(arguments[2])
    elseif arguments[1] == "orders" then
        request = next_order(tonumber(arguments[2]), arguments[3], arguments[4])
    end
end

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format(
        '\n{"duration_us":%d,"requests":%d,"p50_us":%d,"p99_us":%d,"refused":%d,"broken":%d}\n',
        summary.duration, summary.requests, latency:percentile(50), latency:percentile(99), errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
