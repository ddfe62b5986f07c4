# the whole plan is wrapped in a perceptual sign
%d9f(:<:({sum}))
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}>
    <- {second}<:{2}>
