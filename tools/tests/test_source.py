"""Starters are the reference with its solution regions replaced; malformed markers are refused."""

import textwrap

import pytest

from kata import source, starters
from kata.errors import KataError
from kata.topics import Topic


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A function from a reference's text to its starter's."""
    monkeypatch.setattr("kata.topics.REFERENCE", tmp_path)

    def make(text):
        (tmp_path / "tiny.py").write_text(textwrap.dedent(text), encoding="utf-8")
        return source.starter(Topic(21, "tiny", tmp_path))

    return make


def test_steps_become_todo_lines_and_a_raise(made):
    """A region leaves its numbered steps as TODO lines and a raise that names topic and exercise."""
    text = '''\
        def double(x):
            """Double it."""
            # region solution
            # 1. Take x.
            #    All of it.
            # 2. Double it.
            # A comment of the code's own is no step.
            return 2 * x
            # endregion
        '''
    assert made(text.replace("            # A comment of the code's own is no step.\n", "")) == textwrap.dedent('''\
        def double(x):
            """Double it."""
            # TODO 1. Take x.
            #         All of it.
            # TODO 2. Double it.
            raise NotImplementedError("Topic 21 tiny: double is still to do")
        ''')


def test_method_is_named_with_its_class(made):
    """The raise in a method names class and method."""
    text = """\
        class Layer:
            def forward(self, x):
                # region solution
                # 1. Return x.
                return x
                # endregion
        """
    assert 'raise NotImplementedError("Topic 21 tiny: Layer.forward is still to do")' in made(text)


def test_helper_region_vanishes(made):
    """A region outside any function leaves nothing that raises at import."""
    text = """\
        # region solution
        def _helper(x):
            return x
        # endregion


        def double(x):
            # region solution
            # 1. Help yourself.
            return _helper(x) + x
            # endregion
        """
    starter = made(text)
    assert "_helper" not in starter
    compile(starter, "tiny.py", "exec")
    assert starter.count("raise") == 1


def test_no_regions(made):
    """A reference without regions is its own starter."""
    assert made("def given(x):\n    return x\n") == "def given(x):\n    return x\n"


REGION = "    # region solution\n    # 1. Do it.\n    return x\n    # endregion\n"
MALFORMED = {
    "nested": ("def f(x):\n    # region solution\n" + REGION, 3),
    "never closed": ("def f(x):\n" + REGION.replace("    # endregion\n", ""), 2),
    "closed twice": ("def f(x):\n" + REGION + "    # endregion\n", 6),
    "never opened": ("def f(x):\n    return x\n    # endregion\n", 3),
    "empty": ("def f(x):\n    'Say f.'\n    # region solution\n    # endregion\n", 3),
    "steps without code": ("def f(x):\n    'Say f.'\n    # region solution\n    # 1. Do it.\n    # endregion\n", 3),
    "misspelt opening": ("def f(x):\n" + REGION.replace("# region", "#region"), 2),
    "misspelt closing": ("def f(x):\n" + REGION.replace("# endregion", "# end region"), 5),
    "both misspelt": ("def f(x):\n" + REGION.replace("# region", "#region").replace("# end", "#end"), 2),
    "opened in one function, closed in another": (
        "def f(x):\n" + REGION.replace("    # endregion\n", "\n\ndef g(x):\n    return x\n    # endregion\n"),
        2,
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_markers(made, case):
    """Malformed region markers are refused with file and line."""
    text, line = MALFORMED[case]
    with pytest.raises(KataError) as refused:
        made(text)
    assert f"tiny.py:{line} " in str(refused.value)


def test_exercises_are_the_public_names(tmp_path):
    """The exercises of a file are its public functions and classes, in source order."""
    path = tmp_path / "tiny.py"
    path.write_text(
        "def b(): pass\ndef _private(): pass\nclass A:\n    def c(self): pass\nLIMIT = 3\n", encoding="utf-8"
    )
    assert source.exercises(path) == {"b": 1, "A": 3}


def test_stubs_left(tmp_path):
    """An exercise is still a stub where it raises NotImplementedError, in any of its methods."""
    path = tmp_path / "tiny.py"
    path.write_text(
        "def done(): return 1\ndef todo():\n    raise NotImplementedError('x')\n"
        "class Half:\n    def forward(self): return 1\n    def backward(self): raise NotImplementedError\n",
        encoding="utf-8",
    )
    assert source.stubs_left(path) == {"todo": 3, "Half": 6}


def test_definition_has_decorators():
    """The solution a hint shows begins at the decorators and ends with the definition."""
    text = "import x\n\n\n@x.y\ndef f():\n    return 1\n\n\ndef g():\n    return 2\n"
    assert source.definition(text, "f") == "@x.y\ndef f():\n    return 1\n"


def test_reading_ignores_a_byte_order_mark(tmp_path):
    """A byte order mark and Windows newlines do not change the text of a file."""
    path = tmp_path / "tiny.py"
    path.write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r\n")
    assert source.read(path) == "x = 1\ny = 2\n"


def test_stub_file_has_signatures_only(tmp_path):
    """An editor's stub file keeps signatures, docstrings and imports, and no code."""
    path = tmp_path / "tiny.py"
    path.write_text(
        'import numpy as np\n\ndef f(x, y=2):\n    """Say f."""\n    return x\n\ndef _g():\n    return 1\n\n'
        'class A:\n    """Say A."""\n    def forward(self, x):\n        return np.abs(x)\n',
        encoding="utf-8",
    )
    stub = starters.stub(path)
    compile(stub, "tiny.pyi", "exec")
    assert "def f(x, y=2):" in stub and "Say f." in stub and "def forward(self, x):" in stub
    assert "return" not in stub and "_g" not in stub


STARTER = 'def f(x):\n    """Say f."""\n    # TODO 1. Do it.\n    raise NotImplementedError("f")\n'


@pytest.mark.parametrize(
    ("text", "untouched"),
    [
        (STARTER, True),
        (STARTER.replace("Say f", "Say it otherwise"), True),
        (STARTER.replace("    raise", "    y = x\n    raise"), False),
        (STARTER.replace('raise NotImplementedError("f")', "return x"), False),
        ("def f(x:\n", False),
    ],
)
def test_untouched(tmp_path, text, untouched):
    """A starter of any version counts as untouched until an exercise in it is begun."""
    topic = Topic(21, "tiny", tmp_path)
    topic.starter.write_text(text, encoding="utf-8")
    assert starters.is_untouched(topic) is untouched
