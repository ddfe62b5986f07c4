# the condition of `@if` is an object, which is neither true nor false
:<:({bill})
    <= ::(bill {1}<$({order})%_>)
        <= @if({stock})
    <- {order}<:{1}>
    <- {stock}
        <= ::(count what is left of {1}<$({goods})%_>)
        <- {goods}<:{1}>
