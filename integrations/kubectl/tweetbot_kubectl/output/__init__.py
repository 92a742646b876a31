"""What a command prints: colours and bars at a terminal, plain text in pipes, a stable document for `-o json`.

blocks     what there is to show: texts, tables, trees
plain      blocks as text
terminal   blocks by rich
document   a result as JSON
times      times and spans of time, as kubectl writes them
output     chooses one of them
"""
