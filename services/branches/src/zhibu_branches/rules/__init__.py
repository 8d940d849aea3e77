"""What branches decides, without any input or output: the tree, members, rights, changes, statistics."""
