-- An image of one's own, with a database module, as docs/container.md shows it.

local directory = require("spec.support.directory")
local docs = require("spec.support.docs")
local image = require("spec.support.image")
local uv = require("luv")

local LAGOON = "localhost/lagoon-spec:latest"
local OWN = "localhost/lagoon-spec:own"
local USER = 10001

describe("an image that extends lagoon's", function()
  local obstacle = image.obstacle()
  if obstacle then
    pending(obstacle)
    return
  end

  it("stores what comes in a database, as the document says", function()
    local blocks = docs.blocks(directory.read("docs/container.md"))
    local files = docs.examples(blocks)[1]
    for _, block in ipairs(blocks) do
      if block.language == "dockerfile" then
        files.Dockerfile = block.text:gsub("^FROM lagoon\n", "FROM " .. LAGOON .. "\n")
      end
    end
    local folder = image.folder(files)
    directory.make(folder .. "/data")
    assert(uv.fs_chown(folder .. "/data", USER, USER))
    image.build({ tag = LAGOON })
    image.build({ tag = OWN, file = folder .. "/Dockerfile", context = folder })

    -- The second time the record is there already.
    for _ = 1, 2 do
      local container = image.start(OWN, {
        arguments = { "handle", "payment-store", "PaymentReceived", "--key", "p-1" },
        input = '{"payment_id":"p-1","cents":1250}',
        mounts = { ["/etc/lagoon"] = folder, ["/scripts"] = folder .. "/scripts" },
        data = folder .. "/data",
      })
      assert(container.process:wait_exit(20000) == 0, container.process:tail())
      assert.matches("^done\n", container.process:stdout())
    end
    assert.truthy(directory.read(folder .. "/data/payments.db"):find("p-1", 1, true))
  end)
end)
