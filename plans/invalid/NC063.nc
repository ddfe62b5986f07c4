# there is no operator `@before`
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
        <= @before({second})
    <- {first}<:{1}>
    <- {second}<:{2}>
