# the line of prose before the plan has no comment sign
This plan adds two numbers

:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}>
    <- {second}<:{2}>
