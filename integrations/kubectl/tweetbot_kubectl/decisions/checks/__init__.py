"""What `doctor` judges: from what was found to one sentence and what to do. Nothing here asks or acts."""
