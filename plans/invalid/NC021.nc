# two lines at column 0 are roots
:<:({sum})
    <= ::(add one to {1}<$({number})%_>)
    <- {number}<:{1}>
:<:({product})
    <= ::(double {1}<$({number})%_>)
    <- {number}<:{1}>
