# a bracket too many follows the arguments of `$.`
:<:({sum})
    <= $.({total}))
    <- {total}
