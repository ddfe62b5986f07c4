# Halves the even numbers of a list and triples the odd ones. Shows gates in a loop: each iteration decides for itself,
# the side that is skipped leaves no value, and the results keep the order of the list. Built-in functions only.
:<:({results}) | 1. quantifying
    <= *every({number})%:[{number}]@(1) | 1.1. assigning
        <= $.({picked})
        <- {picked} | 1.1.2. assigning
            <= $.({half};{triple})

            <- <the number is even> | 1.1.2.2. judgement
                <= :%(True):<{1}<$({rest})%_> is 0>
                    | %{builtin}: is_zero
                <- {rest}<:{1}> | 1.1.2.2.2. imperative
                    <= ::(find what {1}<$({number})%_> leaves when divided by {2}<$({two})%_>)
                        | %{builtin}: remainder
                    <- {number}*1<:{1}>
                    <- {two: "2"}<:{2}>

            <- {half} | 1.1.2.3. imperative
                <= ::(divide {1}<$({number})%_> by {2}<$({two})%_>) | 1.1.2.3.1. timing
                    | %{builtin}: quotient
                    <= @if(<the number is even>)
                <- {number}*1<:{1}>
                <- {two: "2"}<:{2}>

            <- {triple} | 1.1.2.4. imperative
                <= ::(multiply {1}<$({number})%_> by {2}<$({three})%_>) | 1.1.2.4.1. timing
                    | %{builtin}: mul
                    <= @if!(<the number is even>)
                <- {number}*1<:{1}>
                <- {three: "3"}<:{2}>

    <- {number} | ref. %(number)=[3, 4, 5, 6]
