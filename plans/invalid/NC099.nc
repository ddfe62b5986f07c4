# the bill waits for `<order is valid>`, whose line stands below another step
:<:({letter})
    <= ::(write a letter with {1}<$({bill})%_> and {2}<$({verdict})%_>)
    <- {bill}<:{1}>
        <= ::(bill {1}<$({order})%_>)
            <= @if(<order is valid>)
        <- {order}<:{1}>
    <- {verdict}<:{2}>
        <= ::(explain {1}<$(<order is valid>)%_>)
        <- <order is valid><:{1}>
            <= :%(True):<{1}<$({order})%_> is valid>
            <- {order}<:{1}>
