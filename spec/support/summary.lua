-- An output handler for busted: its plain one, a last line that says how the run ended, and an exit
-- status that says the same (busted's own is the number of failures, so 256 of them are 0, and a
-- run without specs succeeds).

local plain = require("busted.outputHandlers.plainTerminal")
local sanitizer = require("spec.support.sanitizer")

return function(options)
  local busted = require("busted")
  local handler = plain(options)

  busted.subscribe({ "exit" }, function()
    local failed = handler.failuresCount + handler.errorsCount
    failed = failed + sanitizer.show_reports(os.getenv("LAGOON_SPEC_REPORTS"))
    local line = ("%d passed, %d failed"):format(handler.successesCount, failed)
    if handler.pendingsCount > 0 then
      line = line .. (", %d skipped"):format(handler.pendingsCount)
    end
    local is_good = failed == 0 and handler.successesCount > 0
    if failed == 0 and not is_good then
      io.stderr:write("no spec ran\n")
    end
    print(line)
    io.stdout:flush()
    os.exit(is_good and 0 or 1, true)
  end, { priority = 1 })

  return handler
end
