# the brace of the first value is not closed before its annotation
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first | ref. 3
    <- {second}<:{2}>
