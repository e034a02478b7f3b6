std = "lua54"
max_line_length = 100
exclude_files = { "build", "build-*", "lua/*.d.lua" }

files["spec"] = { std = "+busted" }
files["config.lua"] = { read_globals = { "env", "secret", "file", "include" } }
files["docker/orders.lua"] = { read_globals = { "include", "secret" } }
files["bench/application/config.lua"] = { read_globals = { "env" } }
files["lua/new/config.lua"] = { read_globals = { "env" } }
files["lua/new/spec.lua"] = { std = "+busted" }
