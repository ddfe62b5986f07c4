# the gate filters `{order}` along the axis `order`, and the judgement does not say for which orders it holds
:<:({bills})
    <= ::(write a bill for each of {1}<$({order})%_>)
        <= @if(<orders are paid>)
    <- {order}<:{1}> | ref. %(order)=["a", "b"]
    <- <orders are paid>
        <= ::<{1}<$({order})%_> is paid>
        <- {order}<:{1}>
