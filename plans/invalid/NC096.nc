# `{unit price}` and `{unit-price}` differ in no letter
:<:({bill})
    <= ::(bill {1}<$({unit price})%_> and {2}<$({unit-price})%_>)
    <- {unit price}<:{1}>
    <- {unit-price}<:{2}>
