"""What to change and what to say of what was found. Pure: nothing here asks or acts.

changes        retrain, suspend, resume, pin, unpin: the patch, and what follows
field_owners   who puts a field back
checks/        what `doctor` judges
"""
