"""A small language model, from raw text to fine-tuned checkpoints, watched with tb_llmdebug.

Importing this package prepares TensorFlow's surroundings; import it before TensorFlow.
"""

import os

# Transformers' TensorFlow models are Keras 2 models: without this, TensorFlow offers them Keras 3.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
# One line of progress is what a reader should see, not the start-up notes of three libraries.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
