# `{left}` needs `{right}` and `{right}` needs `{left}`
:<:({total})
    <= ::(add {1}<$({left})%_> and {2}<$({right})%_>)
    <- {left}<:{1}>
        <= ::(add one to {1}<$({right})%_>)
        <- {right}<:{1}>
    <- {right}<:{2}>
        <= ::(take one from {1}<$({left})%_>)
        <- {left}<:{1}>
