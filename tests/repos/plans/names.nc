{report}
    <= $.({digit sum})
    <- {digit sum}
        <= ::(sum {1})
        <- {x}<$={1}><:{1}>
        <- {x}<$={2}><:{2}>
        <- {x}<:{4}>
    <- {diggit sum}
        <= ::(sum {1})
        <- [x]<:{1}>
    <- {Digit Sum}
        <= ::(other {1} {2})
        <- {x}<$={1}><:{1}>
        <- {x}<$={2}><:{1}>
    <- {digit sum}
        <= ::(sum again)
