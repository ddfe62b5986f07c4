# `<order is valid>` is only copied, no judgement decides it
:<:({bill})
    <= $.({open bill})
    <- {open bill}
        <= ::(bill {1}<$({order})%_>)
            <= @if(<order is valid>)
        <- {order}<:{1}>
    <- <order is valid>
        <= $.({old verdict})
        <- {old verdict}
