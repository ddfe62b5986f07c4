# one function text is used with two different inputs
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}>
        <= ::(double {1}<$({number})%_>)
        <- {height}<:{1}>
    <- {second}<:{2}>
        <= ::(double {1}<$({number})%_>)
        <- {width}<:{1}>
