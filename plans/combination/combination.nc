# Puts the digits that the addition gives, the last one first, together to one number. Shows grouping: `&across`
# collapses the axes of the digits into one list, which reaches the script as one text. It is also the second half
# of a chain: a fork of an addition run hands its digits on by their name.
:<:({sum}) | 1. imperative
    <= ::(put the digits {1}<$([digits in order])%_> together, the last one first, to get {2}?<$({number})%_>)
        | %{script_location}: scripts/join_digits.py
    <- [digits in order]<:{1}> | 1.2. grouping
        <= &across({new number pair}:{new number pair})
        <- {new number pair}
    <- {number}?<:{2}>
