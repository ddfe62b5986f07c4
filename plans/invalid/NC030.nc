# the second value is declared 1.9 and stands at 1.3
:<:({sum}) | 1. imperative
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}> | 1.2. imperative
        <= ::(double {1}<$({number})%_>)
        <- {number}<:{1}>
    <- {second}<:{2}> | 1.9. imperative
        <= ::(triple {1}<$({number})%_>)
        <- {number}<:{1}>
