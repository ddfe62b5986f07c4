"""Gives the last digit of the number in input_1."""

result = str(int(str(input_1)) % 10)
