# `{sum}` has two functions
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <= $.({first})
    <- {first}<:{1}>
    <- {second}<:{2}>
