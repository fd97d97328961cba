"""What a flash kernel computes, for machines without a GPU."""

from __future__ import annotations

import torch


def flash_like(*args, **settings):
    """What flash attention computes, written out: it gets a mask [batch, keys] and settings, and returns
    no weights. Rows of padding come out as zeros. Nothing can look into it, as into a real kernel."""
    with torch._C.DisableTorchFunction():
        return _flash_like(*args, **settings)


def _flash_like(module, query, key, value, attention_mask, dropout=0.0, scaling=None, **settings):
    window, softcap = settings.get("sliding_window"), settings.get("softcap")
    causal = settings.get("is_causal")
    causal = module.is_causal if causal is None else causal
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    logits = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if softcap:
        logits = torch.tanh(logits / softcap) * softcap
    queries, keys = logits.shape[-2:]
    at_query, at_key = torch.arange(queries)[:, None] + keys - queries, torch.arange(keys)[None]
    allowed = torch.ones(queries, keys, dtype=torch.bool)
    if causal:
        allowed &= at_key <= at_query
    if window:
        allowed &= (at_query - at_key).abs() < window
    allowed = allowed.expand(query.shape[0], 1, queries, keys)
    if attention_mask is not None:
        assert attention_mask.ndim == 2
        allowed = allowed & attention_mask[:, None, None, -keys:].bool()
        allowed = allowed & attention_mask[:, None, -queries:, None].bool()
    logits = logits.masked_fill(~allowed, -torch.inf)
    if settings.get("s_aux") is not None:
        sinks = settings["s_aux"].reshape(1, -1, 1, 1).expand(*logits.shape[:3], 1)
        weights = torch.cat([logits, sinks], -1).softmax(-1)[..., :-1]
    else:
        weights = logits.softmax(-1).nan_to_num()
    return (weights @ value).transpose(1, 2), None
