"""Recurrent networks you can see through: the PyTorch half of Unrolled."""
