"""What people read about a model: its card (`card`), two pictures, and files for machines (`documents`)."""
