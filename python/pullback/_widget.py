"""The step view of the page as a widget of a notebook; needs anywidget."""

import functools
import pathlib
import zlib

import anywidget
import traitlets

from . import _engine


@functools.cache
def files():
    """What the page is made of, compressed: a widget carries it, so that no server is needed."""
    names = ["engine.wasm", "index.js", "index.css", "messages/en.json", "messages/ko.json"]
    return {name: zlib.compress(_engine.page_file(name), 9) for name in names}


class StepWidget(anywidget.AnyWidget):
    """One update of a network, step by step, as the page shows it. `at` is the step, `None` the end."""

    _esm = pathlib.Path(__file__).parent / "_widget.js"
    _files = traitlets.Dict().tag(sync=True)
    _example = traitlets.Unicode().tag(sync=True)
    at = traitlets.Int(0, allow_none=True).tag(sync=True)
    level = traitlets.Unicode("unit").tag(sync=True)
    language = traitlets.Unicode("en").tag(sync=True)
    height = traitlets.Int(720).tag(sync=True)
    #: What the page says of the step, and how many there are at this level.
    sentence = traitlets.Unicode().tag(sync=True)
    steps = traitlets.Int(0).tag(sync=True)

    def __init__(self, example, **more):
        super().__init__(_files=files(), _example=example, **more)
