# the second line ends in a remark with `#` in place of `| /:`
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>) # both are whole numbers
    <- {first}<:{1}>
    <- {second}<:{2}>
