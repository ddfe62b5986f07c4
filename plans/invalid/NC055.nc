# the words after the quantifier say what is true, which no assertion does
:<:(<orders are valid>)
    <= ::(check {1}<$({orders})%_>)<ALL {orders} are fit to be sent>
    <- {orders}<:{1}>
