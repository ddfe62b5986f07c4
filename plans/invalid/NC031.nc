# the declared indices count only the values that head an inference
:<:({sum}) | 1. imperative
    <= ::(add {1}<$({first})%_>, {2}<$({second})%_> and {3}<$({third})%_>)
    <- {first}<:{1}>
    <- {second}<:{2}> | 1.1. imperative
        <= ::(double {1}<$({number})%_>)
        <- {number}<:{1}>
    <- {third}<:{3}> | 1.2. imperative
        <= ::(triple {1}<$({number})%_>)
        <- {number}<:{1}>
