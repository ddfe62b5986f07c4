# the assertion joins two quantifiers, which no form of it does
:<:(<orders are valid>)
    <= ::(check {1}<$({orders})%_>)<FOR EACH {order} AND ALL {address} IS TRUE>
    <- {orders}<:{1}>
