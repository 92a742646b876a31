"""What a killed training goes on from: its state in files, and the shelf in the store where the files stand.

<prefix>/checkpoints/<run>/<steps>-<time>-<random>/{course.json, model.safetensors, …, MANIFEST.json}
"""
