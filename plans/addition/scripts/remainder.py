"""Gives what the digit sum in input_2 leaves when divided by ten; input_1 only says what is asked for."""

result = str(int(str(input_2)) % 10)
