# `{order}` is an object on one line and a proposition on the other
:<:({bill})
    <= ::(bill {1}<$({order})%_>)
        <= @if(<order>)
    <- {order}<:{1}>
    <- <order>
        <= ::<{1}<$({stock})%_> covers it><ALL True>
        <- {stock}<:{1}>
