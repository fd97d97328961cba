"""Records to bytes and back: tile codec, messages, events, TFRecord framing."""
