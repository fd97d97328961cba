"""The small GPT-2 of the demo, and the two ways in which a training loop may call it."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from transformers import GPT2Config, TFGPT2LMHeadModel

CONTEXT = 96
WIDTH = 128
LAYERS = 4
HEADS = 4
# GPT-2's own 0.02 suits a width of 768. At 128, attention would stay uniform for hundreds of steps.
INITIAL_SPREAD = 0.06


def build_model(vocabulary: int, end_of_text: int, dropout: float = 0.0) -> TFGPT2LMHeadModel:
    """Make a GPT-2 of one million weights, randomly initialised."""
    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=CONTEXT,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=HEADS,
        attn_pdrop=dropout,
        embd_pdrop=dropout,
        resid_pdrop=dropout,
        bos_token_id=end_of_text,
        eos_token_id=end_of_text,
        initializer_range=INITIAL_SPREAD,
        use_cache=False,
    )
    model = TFGPT2LMHeadModel(config)
    model(tf.zeros([1, 2], tf.int32))  # Keras makes the weights at the first call
    return model


def freeze_lower_layers(model: TFGPT2LMHeadModel, layers: int) -> None:
    """Keep the embeddings and the lowest `layers` blocks as they are; 0 freezes nothing."""
    if layers == 0:
        return
    for part in [model.transformer.wte, model.transformer.wpe, *model.transformer.h[:layers]]:
        part.trainable = False


def position_ids(mask: tf.Tensor) -> tf.Tensor:
    """Count real tokens from 0; padding, whose position no real token sees, gets 0.

    mask: [batch, tokens], 1 = real -> [batch, tokens] int32
    """
    counted = tf.cumsum(tf.cast(mask, tf.int32), axis=-1) - 1
    return tf.maximum(counted, 0)


@dataclass(frozen=True)
class Convention:
    """What a loop passes to the model beside the token ids.

    With `pass_mask` padding is hidden, and positions start at the first real token. Without it the
    model is called as if nothing were padded: it attends to padding and counts it as text. With
    padding on the left that does harm without an error, and the training loss falls all the same.
    (With padding on the right a causal model would not even notice.)
    """

    pass_mask: bool = True
    pass_positions: bool = True  # False for models that count positions from the mask themselves

    def arguments(self, mask: tf.Tensor) -> dict[str, Any]:
        """Give the keyword arguments for a batch with this mask, [batch, tokens]."""
        if not self.pass_mask:
            return {}
        arguments: dict[str, Any] = {"attention_mask": mask}
        if self.pass_positions:
            arguments["position_ids"] = position_ids(mask)
        return arguments


CORRECT = Convention()
MISTAKEN = Convention(pass_mask=False)
