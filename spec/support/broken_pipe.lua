-- Required for what it does: whoever writes to a pipe or a connection that nobody reads any more
-- meets a signal that would end the interpreter without a word; from here on the write itself
-- fails. What is started gets the signal as usual.

local uv = require("luv")

local broken_pipe = uv.new_signal()
broken_pipe:start("sigpipe")
broken_pipe:unref()

return broken_pipe
