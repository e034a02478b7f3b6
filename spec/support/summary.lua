-- An output handler for busted: its plain one, and a last line that says how it ended, with an exit
-- status that cannot be mistaken (busted's own is the number of failures, so 256 of them are 0, and
-- a run of no specs succeeds).

local plain = require("busted.outputHandlers.plainTerminal")

return function(options)
  local busted = require("busted")
  local handler = plain(options)

  busted.subscribe({ "exit" }, function()
    local failed = handler.failuresCount + handler.errorsCount
    local line = ("%d passed, %d failed"):format(handler.successesCount, failed)
    if handler.pendingsCount > 0 then
      line = line .. (", %d skipped"):format(handler.pendingsCount)
    end
    if handler.successesCount + failed == 0 then
      io.stderr:write("no spec ran\n")
      failed = 1
    end
    print(line)
    io.stdout:flush()
    os.exit(failed == 0 and 0 or 1, true)
  end, { priority = 1 })

  return handler
end
