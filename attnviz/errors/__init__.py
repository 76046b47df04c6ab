"""Every error attnviz raises on purpose.

    AttnvizError
    ├── ConfigError      a model or training configuration that cannot be built     (also a ValueError)
    ├── ModelLoadError   a folder that does not hold a model
    │   └── CannotShow   a model whose attention cannot be shown truly
    ├── InputError       a text, image, sound or data that a model cannot read       (also a ValueError)
    │   └── DataUnclear  data that leave open how to read them
    ├── EditError        a change that a forward pass cannot take                     (also a ValueError)
    ├── NotSplit         a score that is no sum of what earlier parts of a model wrote
    ├── UploadError      a zip file, or a model from one, that is not accepted
    ├── CalculatorError  numbers that attention cannot be computed from              (also a ValueError)
    └── RunError         a training run that cannot be opened, written or started

A class declares its fields; its words are the message `error.<code>` of the catalogue, in every language.
"""

from __future__ import annotations

from attnviz.errors import base, calculator, data, edits, inputs, models, runs, server, settings, sweeps, uploads, why
from attnviz.errors.base import *
from attnviz.errors.calculator import *
from attnviz.errors.data import *
from attnviz.errors.edits import *
from attnviz.errors.inputs import *
from attnviz.errors.models import *
from attnviz.errors.runs import *
from attnviz.errors.server import *
from attnviz.errors.settings import *
from attnviz.errors.sweeps import *
from attnviz.errors.uploads import *
from attnviz.errors.why import *

__all__: list[str] = []
__all__ += base.__all__
__all__ += calculator.__all__
__all__ += data.__all__
__all__ += edits.__all__
__all__ += inputs.__all__
__all__ += models.__all__
__all__ += runs.__all__
__all__ += server.__all__
__all__ += settings.__all__
__all__ += sweeps.__all__
__all__ += uploads.__all__
__all__ += why.__all__
