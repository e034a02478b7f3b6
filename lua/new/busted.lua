-- `busted` runs the specs. lagoon.testing needs Lua 5.4.
return {
  default = {
    lua = "lua5.4",
    cpath = "@CPATH@", -- of lagoon/testing.so, which Lua does not find by itself
  },
}
