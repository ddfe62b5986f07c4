# The multiplication table: a loop over the rows, in it a loop over the columns, in that one product. Shows that the
# result keeps the axes of both loops, row first, and that iterations that hand nothing on may run at once. Built-in
# functions only.
:<:({table}) | 1. quantifying
    <= *every({row})%:[{row}]@(1) | 1.1. assigning
        <= $.({line})
        <- {line} | 1.1.2. quantifying
            <= *every({column})%:[{column}]@(2) | 1.1.2.1. assigning
                <= $.({product})
                <- {product} | 1.1.2.1.2. imperative
                    <= ::(multiply {1}<$({row})%_> by {2}<$({column})%_>)
                        | %{builtin}: mul
                    <- {row}*1<:{1}>
                    <- {column}*2<:{2}>
            <- {column} | ref. %(column)=[1, 2, 3, 4, 5, 6, 7, 8, 9]
    <- {row} | ref. %(row)=[1, 2, 3, 4, 5, 6, 7, 8, 9]
