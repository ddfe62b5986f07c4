# the judgement does not say when it counts as true
:<:(<order is valid>) | 1. judgement
    <= ::(check the address of {1}<$({order})%_>)
    <- {order}<:{1}>
