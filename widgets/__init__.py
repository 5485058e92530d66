"""Pictures and controls for the lessons: pure figures first, explorers in front of them."""
