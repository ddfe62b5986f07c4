# the `&` of `&across` is missing
:<:([all prices])
    <= across[{first price}, {second price}]
    <- {first price}
    <- {second price}
