-- Declared by the hospital's design.
-- haproxy has no word for the alternative names of a client's certificate. `certificate_name(0)` is the common name,
-- `certificate_name(n)` the nth DNS name; nothing where there is none, or where it holds what no name should.
-- A certificate comes here after its chain was verified.

local SUBJECT_ALTERNATIVE_NAME = "\x55\x1d\x11"
local OCTETS, OBJECT_IDENTIFIER, SEQUENCE, DNS_NAME, EXTENSIONS = 0x04, 0x06, 0x30, 0x82, 0xa3

-- The DER value at a place within a text, its tag, and the place behind it; nothing at the end or where it is cut off.
local function element(text, place)
    local tag, length = text:byte(place, place + 1)
    if not length then
        return nil
    end
    local first = place + 2
    if length >= 0x80 then
        local size = length - 0x80
        if size < 1 or size > 3 or first + size - 1 > #text then
            return nil
        end
        length = 0
        for _, byte in ipairs({text:byte(first, first + size - 1)}) do
            length = length * 256 + byte
        end
        first = first + size
    end
    if first + length - 1 > #text then
        return nil
    end
    return text:sub(first, first + length - 1), tag, first + length
end

local function elements(text)
    local place = 1
    return function()
        local value, tag, behind = element(text, place)
        place = behind or #text + 1
        return value, tag
    end
end

local function inside(text, wanted)
    for value, tag in elements(text) do
        if tag == wanted then
            return value
        end
    end
    return ""
end

local function alternative_names(certificate)
    local signed = inside(inside(certificate, SEQUENCE), SEQUENCE)
    for extension in elements(inside(inside(signed, EXTENSIONS), SEQUENCE)) do
        if inside(extension, OBJECT_IDENTIFIER) == SUBJECT_ALTERNATIVE_NAME then
            return inside(inside(extension, OCTETS), SEQUENCE)
        end
    end
    return ""
end

local function dns_name(certificate, wanted)
    for name, tag in elements(alternative_names(certificate)) do
        if tag == DNS_NAME then
            wanted = wanted - 1
            if wanted == 0 then
                return name
            end
        end
    end
    return nil
end

core.register_fetches("certificate_name", function(transaction, place)
    local wanted, name = tonumber(place), nil
    if wanted == 0 then
        name = transaction.f:ssl_c_s_dn("cn")
    else
        name = dns_name(transaction.f:ssl_c_der() or "", wanted)
    end
    -- A list is searched for the text up to the first zero byte.
    if not name or name == "" or name:find("%c") then
        return nil
    end
    return name
end)
