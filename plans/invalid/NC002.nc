# there is no plan in this file, only comments
# :<:({sum})
