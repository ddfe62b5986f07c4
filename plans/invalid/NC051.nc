# a gate is the only function of `{final order}`
:<:({final order})
    <= @if(<order is valid>)
    <- {order}
    <- <order is valid>
        <= ::(the address of {1}<$({order})%_> is complete)<ALL True>
        <- {order}<:{1}>
