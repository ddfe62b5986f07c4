# `{unit price}` and `{unit-price}` get the same id
:<:({bill})
    <= ::(bill {1}<$({unit price})%_> and {2}<$({unit-price})%_>)
    <- {unit price}<:{1}>
    <- {unit-price}<:{2}>
