-- The example, with an admin server that other machines may ask, and publish by, if they know the
-- token.
local config = include("../config.lua")
config.admin = { token = secret("LAGOON_TOKEN") }
return config
