# line 1.2.1 has no parent line 1.2
1.object|:<:({sum})
1.1.imperative|<= ::(add one to {1}<$({number})%_>)
1.2.1.object|<- {number}<:{1}>
