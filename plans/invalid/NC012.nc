# the deeper sentence has no marker and no comment sign
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}>
        the first number comes from the form
    <- {second}<:{2}>
