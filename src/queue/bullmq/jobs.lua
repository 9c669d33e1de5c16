--[[
  Adds jobs from inside a script of the record, so that Redis has both or
  neither; included, never run. The script gets BullMQ's own script as the
  function `bullmq_add_job` (job-scripts.ts).

  A template is the call by which BullMQ itself adds a job to one queue:
    keys, arguments (2 is the job's id, 4 its time), data, options
]]

--- @include shim.lua
-- Adds the job of one generation of a delivery; does nothing if it exists.
local function add_job(template, event_id, generation, now)
  local arguments = template.arguments
  arguments[2] = event_id .. '-' .. generation
  arguments[4] = now
  template.packed = template.packed or cmsgpack.pack(template.options)
  local added = bullmq_add_job(template.keys, { cmsgpack.pack(arguments), template.data, template.packed }, shim)
  -- A negative number means that BullMQ did nothing.
  if type(added) == 'number' and added < 0 then error('a job could not be added: ' .. added) end
end
