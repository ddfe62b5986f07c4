# nothing judges `<the budget allows it>`
:<:({order})
    <= ::(order {1}<$({goods})%_>)
        <= @if(<the budget allows it>)
    <- {goods}<:{1}>
