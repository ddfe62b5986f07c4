# both loops have the number 1
:<:({table})
    <= *every({row})%:[{row}]@(1)
        <= $.({line})
        <- {line}
            <= *every({column})%:[{column}]@(1)
                <= $.({product})
                <- {product}
                    <= ::(multiply {1}<$({row})%_> by {2}<$({column})%_>)
                    <- {row}*1<:{1}>
                    <- {column}*1<:{2}>
            <- {column}
    <- {row}
