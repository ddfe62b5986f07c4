# the last line stands one column deeper than its sibling
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}>
     <- {second}<:{2}>
