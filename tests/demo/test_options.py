import pytest

import finetune
import finetune_pretrained


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "many"])
def test_steps_must_be_a_number_above_0(text, capsys):
    with pytest.raises(SystemExit):
        finetune.parse([f"--steps={text}"])
    assert f"{text!r} is not a number above 0" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["steps", "log-every", "batch", "width"])
@pytest.mark.parametrize("text", ["0", "-1", "1.5"])
def test_counts_must_be_whole_and_positive(name, text, capsys):
    with pytest.raises(SystemExit):
        finetune_pretrained.parse(["--model=m", "--text=t", f"--{name}={text}"])
    assert f"{text!r} is not a whole number from 1 on" in capsys.readouterr().err


def test_good_values_are_taken():
    assert finetune.parse(["--steps", "0.5"]).steps == 0.5
    options = finetune_pretrained.parse(["--model", "m", "--text", "t", "--log-every", "3"])
    assert (options.log_every, options.width) == (3, 96)
