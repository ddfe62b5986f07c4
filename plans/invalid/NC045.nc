# a remark in angle brackets follows the first value
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<the one from the form><:{1}>
    <- {second}<:{2}>
