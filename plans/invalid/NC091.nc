# the destination has the axis `letter` and no axis `page`
:<:([letters])
    <= $+({letter}:[letters])%:[{page}]
    <- {letter} | ref. "c"
    <- [letters] | ref. %(letter)=["a", "b"]
