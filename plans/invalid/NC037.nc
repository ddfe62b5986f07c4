# two unrelated steps give `{rate}`
:<:({report})
    <= ::(report {1}<$({rate})%_> for {2}<$({share})%_>)
    <- {rate}<:{1}>
        <= ::(read the rate from {1}<$({table})%_>)
        <- {table}<:{1}>
    <- {share}<:{2}>
        <= ::(split by {1}<$({rate})%_>)
        <- {rate}<:{1}>
            <= ::(guess the rate from {1}<$({market})%_>)
            <- {market}<:{1}>
