return require("spec.chaos.moves").scenario("cooperative-sticky")
