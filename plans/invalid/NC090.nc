# the text takes the discount from slot 2, where the price goes
:<:({sum})
    <= ::(take {2}<$({discount})%_> from {1}<$({price})%_>)
    <- {discount}<:{1}>
    <- {price}<:{2}>
