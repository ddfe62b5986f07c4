# the loop has no number
:<:({results})
    <= *every({number})%:[{number}]
        <= $.({double})
        <- {double}
            <= ::(double {1}<$({number})%_>)
            <- {number}*1<:{1}>
    <- {number}
