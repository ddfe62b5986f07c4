# words follow the closed name of the first value
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first} of the two
    <- {second}<:{2}>
