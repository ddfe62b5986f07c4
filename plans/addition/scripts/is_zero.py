"""Says whether the number in input_1 is 0, as the text True or False."""

result = str(int(str(input_1)) == 0)
