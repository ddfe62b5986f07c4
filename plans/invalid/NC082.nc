# nobody uses `{mean}`
:<:({answer})
    <= &across({price}:{price})
    <- {price}
    <- {mean}
        <= ::(find the mean of {1}<$({price})%_>)
        <- {price}<:{1}>
