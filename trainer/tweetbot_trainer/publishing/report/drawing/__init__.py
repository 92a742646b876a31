"""Text in pictures, with fonts of our own."""
