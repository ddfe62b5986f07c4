# `{discount}` is grouped and is no value of the line
:<:({offer})
    <= &in({price};{discount})
    <- {price}
