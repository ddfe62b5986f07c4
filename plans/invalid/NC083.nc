# there is no loop number 2
:<:({results})
    <= *every({number})%:[{number}]@(1)
        <= $.({double})
        <- {double}
            <= ::(double {1}<$({number})%_>)
            <- {number}*2<:{1}>
    <- {number}
