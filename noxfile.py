"""The environments that the package has to work in, each made anew: `nox`, or `nox -s torch`.

`make test` runs the same tests in environments that it keeps.
"""

import nox

nox.options.default_venv_backend = "venv"
# What a machine without frameworks can run; conftest.py leaves out the files that import one it lacks.
FRAMEWORK_TESTS = ("tests/capture", "tests/callbacks", "tests/log")
CORE_TESTS = ("--ignore=tests/demo", "--ignore=tests/durability", "--ignore=tests/tools")


@nox.session
def tensorflow(session: nox.Session) -> None:
    """TensorFlow 2.21 and Transformers 4, with PyTorch beside them."""
    session.install("-r", "requirements/lock.txt")
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")
    session.run("python", "-m", "pytest", "tests", *session.posargs)


@nox.session
def torch(session: nox.Session) -> None:
    """Transformers 5 and PyTorch, without TensorFlow."""
    session.install("-r", "requirements/torch.txt")
    session.install("--no-deps", ".")
    session.run("python", "-m", "pytest", *FRAMEWORK_TESTS, *session.posargs)


@nox.session
def core(session: nox.Session) -> None:
    """No framework."""
    session.install("-r", "requirements/core.txt")
    session.install("--no-deps", ".")
    session.run("python", "-m", "pytest", *CORE_TESTS, *session.posargs)
