"""Reading rosters as departments keep them. Pure: a file goes in, people and problems come out, nothing else is touched."""
