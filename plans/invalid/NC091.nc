# the destination has the axis `letter` and no axis `page`
:<:([word])
    <= $+({letter}:[word])%:[{page}]
    <- {letter} | ref. "c"
    <- [word] | ref. %(letter)=["a", "b"]
