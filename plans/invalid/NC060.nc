# no program runs method calls
:<:({summary})
    <= :_:{summarise}({text})
    <- {text}
