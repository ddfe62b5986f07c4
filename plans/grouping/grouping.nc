# Sums up a price list in one record. Shows both groupings: `&across` collapses the axis of the prices into one list,
# and `&in` puts three results together under their names. Built-in functions only.
:<:({summary}) | 1. grouping
    <= &in({total};{lowest};{highest})

    <- {total} | 1.2. imperative
        <= ::(sum up {1}<$([all prices])%_>)
            | %{builtin}: sum
        <- [all prices]<:{1}> | 1.2.2. grouping
            <= &across({price}:{price})
            <- {price} | ref. %(item)=[12, 5, 30, 7]

    <- {lowest} | 1.3. imperative
        <= ::(find the least of {1}<$([all prices])%_>)
            | %{builtin}: min
        <- [all prices]<:{1}>

    <- {highest} | 1.4. imperative
        <= ::(find the greatest of {1}<$([all prices])%_>)
            | %{builtin}: max
        <- [all prices]<:{1}>
