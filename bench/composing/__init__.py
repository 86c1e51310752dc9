"""What the benchmark of composing is made of: a day of news, and somebody who reads pages meanwhile."""
