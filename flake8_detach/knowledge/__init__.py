"""Facts about PyTorch and its neighbours, as data: what operations do, what library objects are, where values leave, which names mean something.

No logic that looks at a program lives here, and nothing imports more than the words.
"""
