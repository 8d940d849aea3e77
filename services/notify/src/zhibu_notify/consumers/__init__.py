"""What the events of other services are told as: proto in, notices out."""
