# the pipe before the flow index is missing
:<:({sum}) 1. imperative
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}>
    <- {second}<:{2}>
