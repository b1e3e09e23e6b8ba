"""isCAN cards of Thorsis, by the library iscandrv."""
