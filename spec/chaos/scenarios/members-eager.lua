return require("spec.chaos.moves").scenario("range")
