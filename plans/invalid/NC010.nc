# the last line is indented by two columns where the file otherwise uses four
:<:({sum})
    <= ::(add {1}<$({first})%_> and {2}<$({second})%_>)
    <- {first}<:{1}>
        <= ::(double {1}<$({number})%_>)
          <= @after({second})
        <- {number}<:{1}>
    <- {second}<:{2}>
