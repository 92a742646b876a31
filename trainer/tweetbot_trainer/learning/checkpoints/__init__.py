"""What a killed training continues from: its state as files, and these files in the store.

<prefix>/checkpoints/<run>/<steps>-<time>-<random>/{course.json, model.safetensors, …, MANIFEST.json}
"""
