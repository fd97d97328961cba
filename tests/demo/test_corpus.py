from llmdebug_demo.corpus import held_out_names, python_topics, stdlib_docstrings


def test_topics_are_split_the_same_way_each_time_and_share_no_paragraph():
    corpus = python_topics()
    assert corpus == python_topics()
    assert sum(map(len, corpus.training)) > 300_000
    assert sum(map(len, corpus.held_out)) > 5_000
    known = {paragraph for text in corpus.training for paragraph in text.split("\n\n")}
    repeated = [part for text in corpus.held_out for part in text.split("\n\n") if part in known]
    assert repeated == []


def test_held_out_names_fill_the_share_and_pass_over_what_is_too_large():
    sizes = {"huge": 900} | {f"small {number}": 10 for number in range(10)}
    chosen = held_out_names(sizes, share=0.05)
    assert len(chosen) == 5
    assert "huge" not in chosen
    assert chosen == held_out_names(dict(reversed(sizes.items())), share=0.05)


def test_docstrings_are_read_without_importing_and_only_once(tmp_path):
    folder = tmp_path / "library"
    (folder / "package" / "test").mkdir(parents=True)
    said_twice = "Return what was asked for, or None if there is no such thing."
    (folder / "raises.py").write_text(
        f'"""This module must never be imported by the demo."""\nraise SystemExit\n'
        f'def first():\n    """{said_twice}"""\n\nasync def second():\n    """{said_twice}"""\n'
    )
    (folder / "broken.py").write_text('"""A docstring in a file with bad syntax."""\ndef (:\n')
    (folder / "package" / "short.py").write_text('"""Too short."""\n')
    (folder / "package" / "test" / "case.py").write_text('"""Documentation of a test, skipped here."""\n')
    corpus = stdlib_docstrings(folder)
    assert sorted(corpus.training + corpus.held_out) == sorted(
        [said_twice, "This module must never be imported by the demo."]
    )


def test_docstrings_of_one_module_are_on_one_side(tmp_path):
    for module in range(40):
        functions = [
            f'def f{number}():\n    """Describe function {number} of module {module} at length."""\n'
            for number in range(3)
        ]
        (tmp_path / f"module{module}.py").write_text("\n".join(functions))
    corpus = stdlib_docstrings(tmp_path)
    assert corpus == stdlib_docstrings(tmp_path)
    sides = [{text.split(" of ")[1] for text in part} for part in (corpus.training, corpus.held_out)]
    assert len(sides[0]) + len(sides[1]) == 40
    assert len(sides[1]) >= 2
    assert sides[0].isdisjoint(sides[1])
