"""From a base model and a split dataset to a fine-tuned model and its figures; knows no stages and no publishing."""
