-- Declared by the hospital's design.
-- One line of JSON, after the word AUDIT, for each event that DICOM PS3.15 A.5 asks an archive to record. Codes are those of
-- its table CID 400. A patient is named by the SHA-1 of the patient ID, in the form that Orthanc itself uses as identifier,
-- so that whoever may look into the archive finds the patient and nobody else learns a name.

local function rotate(word, bits)
  return ((word << bits) | (word >> (32 - bits))) & 0xffffffff
end

local function sha1(text)
  local state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }
  local padded = text .. '\128' .. string.rep('\0', (55 - #text) % 64) .. string.pack('>I8', #text * 8)
  for start = 1, #padded, 64 do
    local words = { string.unpack('>I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4', padded, start) }
    for i = 17, 80 do
      words[i] = rotate(words[i - 3] ~ words[i - 8] ~ words[i - 14] ~ words[i - 16], 1)
    end
    local a, b, c, d, e = table.unpack(state)
    for i = 1, 80 do
      local mixed, constant
      if i <= 20 then
        mixed, constant = (b & c) | (~b & d), 0x5a827999
      elseif i <= 40 then
        mixed, constant = b ~ c ~ d, 0x6ed9eba1
      elseif i <= 60 then
        mixed, constant = (b & c) | (b & d) | (c & d), 0x8f1bbcdc
      else
        mixed, constant = b ~ c ~ d, 0xca62c1d6
      end
      local new = (rotate(a, 5) + (mixed & 0xffffffff) + e + constant + words[i]) & 0xffffffff
      a, b, c, d, e = new, a, rotate(b, 30), c, d
    end
    for i, value in ipairs({ a, b, c, d, e }) do
      state[i] = (state[i] + value) & 0xffffffff
    end
  end
  return string.format('%08x-%08x-%08x-%08x-%08x', table.unpack(state))
end

local function patient(id)
  if type(id) ~= 'string' and type(id) ~= 'number' then
    return ''
  end
  local trimmed = tostring(id):match('^%s*(.-)%s*$')
  if trimmed == '' or trimmed:find('[*?\\]') then
    return ''
  end
  return sha1(trimmed)
end

local function record(code, event, origin, details)
  details.code = code
  details.event = event
  details.outcome = 'success'
  details.aet = origin.RemoteAet or ''
  details.called = origin.CalledAet or ''
  details.address = origin.RemoteIp or ''
  details.user = origin.Username or ''
  print('AUDIT ' .. DumpJson(details, true))
end

-- A study counts as one transfer a sender, however many images it has.
local transfers = {}

function OnStoredInstance(instance, tags, metadata, origin)
  local study = tostring(tags['StudyInstanceUID'] or '')
  local sender = (origin.RemoteAet or '') .. '@' .. (origin.RemoteIp or '') .. '@' .. (origin.Username or '')
  transfers[study] = transfers[study] or {}
  local transfer = transfers[study][sender]
  if transfer == nil then
    transfer = { count = 0, origin = origin, patient = patient(tags['PatientID']) }
    transfers[study][sender] = transfer
    record('110102', 'Begin Transferring DICOM Instances', origin, { study = study, patient = transfer.patient })
  end
  transfer.count = transfer.count + 1
end

function OnStableStudy(id, tags, metadata)
  local study = tostring(tags['StudyInstanceUID'] or '')
  for _, transfer in pairs(transfers[study] or {}) do
    record('110104', 'DICOM Instances Transferred', transfer.origin,
      { study = study, patient = transfer.patient, instances = transfer.count })
  end
  transfers[study] = nil
end

-- Named are the attributes that were asked by, not what they were compared with.
function IncomingFindRequestFilter(query, origin)
  local keys = {}
  for tag, value in pairs(query) do
    if type(value) ~= 'table' and tostring(value) ~= '' then
      table.insert(keys, tag)
    end
  end
  table.sort(keys)
  record('110112', 'Query', origin,
    { level = tostring(query['0008,0052'] or ''), keys = table.concat(keys, ' '), patient = patient(query['0010,0020']) })
  return query
end

function OnDeletedStudy(id)
  record('110105', 'DICOM Study Deleted', {}, { study = id })
end
