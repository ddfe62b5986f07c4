# One record an item: `&in` over values that share an axis keeps the axis and puts the cells of one position together.
# No step is called at all.
:<:({price list}) | 1. grouping
    <= &in({fruit};{price})
    <- {fruit} | ref. %(item)=["apple", "pear", "plum"]
    <- {price} | ref. %(item)=[12, 5, 30]
