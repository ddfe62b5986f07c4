# the name of the second value holds a byte that is not UTF-8
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}>
    <- {second ÿ}<:{2}>
