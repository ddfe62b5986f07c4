# `{total}` and `{totals}` are probably meant to be one concept
:<:({report})
    <= ::(report {1}<$({total})%_> and {2}<$({tax})%_>)
    <- {total}<:{1}>
        <= ::(sum up {1}<$({prices})%_>)
        <- {prices}<:{1}>
    <- {tax}<:{2}>
        <= ::(find the tax on {1}<$({totals})%_>)
        <- {totals}<:{1}>
