# `<order is valid>` is a proposition, and an imperative makes it
:<:(<order is valid>)
    <= ::(check the address of {1}<$({order})%_>)
    <- {order}<:{1}>
