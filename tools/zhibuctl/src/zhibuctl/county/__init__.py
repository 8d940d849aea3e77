"""`zhibuctl county`: bringing counties online."""
