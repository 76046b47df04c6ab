"""Every error attnviz raises on purpose.

    AttnvizError
    ├── ConfigError         a model or training configuration that cannot be built      (also a ValueError)
    │   ├── TooMuchMemory   a step of training would take more memory than there is for it
    │   └── InvalidOrigin   a host, or a source of frames, that is none
    ├── ModelLoadError      a folder that does not hold a model
    │   ├── ModelNotFound   there is no such folder, or no config.json in it
    │   ├── ModelCorrupt    config.json or model.safetensors cannot be read
    │   ├── ModelMismatch   the weights are not those of the configuration
    │   ├── UnknownArchitecture  transformers has no such model
    │   ├── RemoteCode      it needs code that comes with it, which is never run
    │   ├── UnsafeWeights   the weights are pickled, not safetensors
    │   ├── NoTokenizer     the folder has no tokenizer
    │   │   └── NoProcessor  nothing prepares the images that the model reads
    │   ├── TokenizerMismatch  the tokenizer is that of another model
    │   ├── PackageMissing  it needs a Python package that is not installed
    │   ├── QuantisedWeights  its weights are in a quantised format that cannot be read here
    │   ├── NoDevice        a device that this machine does not have                     (also a ValueError)
    │   ├── AdapterFolder   an adapter, which needs the package peft and its base model
    │   ├── DownloadsOff    a model of the Hub, where downloads are not switched on
    │   ├── HubNotFound     the Hub has no such model, or cannot be reached
    │   └── CannotShow      its attention cannot be shown truly
    │       ├── AttentionHidden   a layer computes it where nobody can listen
    │       ├── AttentionUnseen   none was seen
    │       ├── CannotSample      nobody knows what to give to it
    │       ├── AttentionDiffers  it cannot be computed again
    │       ├── WeightsNotFinite  weights that are nan or infinite
    │       └── TokensDoNotFit    a layer read another number of tokens than there are names for
    ├── InputError          a text that this model cannot read                          (also a ValueError)
    │   ├── EmptyText       nothing to read
    │   ├── NotText         something else than a text                                  (also a TypeError)
    │   ├── NotUnicode      a text with half a character in it
    │   ├── UnknownSymbols  symbols outside the model's vocabulary
    │   ├── TextTooLong     more tokens than the model has positions for
    │   │   └── TextOverLimit  more tokens than the page shows
    │   ├── NotNumbers      a token that is not the numbers a model of series, pictures or sounds reads
    │   ├── TextTooShort    a text to learn that is shorter than the context needs
    │   ├── OneCharacter    a text to learn in which there is nothing to predict
    │   ├── SeriesNotNumber  a line of a series without a number
    │   ├── SeriesUnits     signs such as % beside some numbers only
    │   ├── SeriesTooShort  a series that is shorter than the context needs
    │   ├── SeriesTooLong   more points than are taken
    │   ├── SeriesConstant  a part of a series in which nothing changes
    │   ├── SoundUnreadable  a file that is no sound that can be read
    │   ├── SoundLength     a sound that is too short or too long
    │   ├── DataTooLarge    a file to learn from that is larger than the limit
    │   ├── DataSpreadsheet  a workbook in place of a text
    │   ├── DataArchive     a compressed file
    │   ├── DataBinary      a control character that no text has
    │   ├── DataEncoding    no text in the encoding that was said, or in any
    │   ├── DataUnclear     a question that the data do not answer: it is asked, not guessed
    │   │   ├── DataEncodingUnclear   which encoding
    │   │   ├── DataSeparatorUnclear  what separates the columns
    │   │   ├── DataHeaderUnclear     whether the first line is a header
    │   │   ├── DataColumnsUnclear    which columns are to be read
    │   │   ├── DataDecimalUnclear    whether a point or a comma is the decimal sign
    │   │   └── SeriesMissing         what becomes of cells without a value
    │   ├── DataEmpty       there is nothing in it
    │   ├── DataNoColumn    a column that was chosen and is not there
    │   ├── DataSameColumn  a column that was chosen twice
    │   ├── DataColumns     a line without exactly a text and a label
    │   ├── DataRagged      a line with more columns than the first
    │   ├── DataTooManyColumns  a line with more columns than are taken
    │   ├── DataCellTooLong  a cell that does not end
    │   ├── DataBlank       a line whose text or label is empty
    │   ├── DataQuote       a quotation mark that is not closed
    │   ├── DataLineTooLong  a line that is longer than the limit
    │   ├── DataSentenceTooLong  a sentence that is longer than the limit
    │   ├── DataSentenceRagged  a line with other columns than the rest of its sentence
    │   ├── DataTagMissing  a word without a tag
    │   ├── DataTag         a tag that is no BIO tag
    │   ├── DataWord        a word with a blank in it
    │   ├── DataLabels      too few or too many labels
    │   ├── DataTypes       too few or too many types of entities
    │   ├── DataTooFew      too few different texts to divide
    │   ├── DataTooMany     more texts than are taken
    │   ├── TargetNotAllowed  a target for a model that reads one text only
    │   ├── ImageNeeded     a model that looks at an image was given none
    │   ├── ImageNotAllowed  an image for a model that reads text only
    │   ├── ImageUnreadable  a file that is not an image, or too large
    │   ├── ImageGone       an image that was handed in, and is no longer kept
    │   ├── InputNeeded     a model that reads something else, such as sound
    │   ├── InputsDoNotFit  inputs made already, and not such as the model takes
    │   ├── TargetNeeded    a decoder that writes nothing was given nothing to read
    │   ├── TokensOutside   ids that the model has no embedding for                     (also an IndexError)
    │   ├── NoRow           a row that the batch does not have                          (also an IndexError)
    │   └── DoesNotWrite    a model that goes on with no text
    ├── UploadError         a zip file that is not taken, or a model from one that is not opened
    │   ├── UploadNotZip    it is no zip file, or a damaged one
    │   ├── UploadTooLarge  it is larger than the limit, or would be once unpacked
    │   ├── UploadTooMany   it holds too many files
    │   ├── UploadFileKind  it holds files of a kind that no model has
    │   ├── UploadPath      a file in it would lie elsewhere than in the model's folder
    │   ├── UploadNoModel   there is no config.json in it
    │   ├── UploadFileSize  a file in it is larger than any model needs it to be
    │   ├── UploadMemory    opening its model takes too much memory
    │   ├── UploadSlow      it takes too long
    │   ├── UploadHolds     it keeps everybody else waiting
    │   ├── UploadReaches   it needs something outside of its folder
    │   ├── UploadCrashed   the process that tried it died
    │   ├── UploadGrows     its tokenizer makes far longer texts than it is given
    │   ├── UploadText      its tokenizer takes too much time or memory for a text
    │   └── UploadUnwritable  the disk is full, or cannot be written to
    ├── CalculatorError     numbers that attention cannot be computed from              (also a ValueError)
    │   ├── TableUnreadable what was typed or pasted is no table
    │   ├── TableEmpty      there is no number in it
    │   ├── TableTooLarge   more rows or columns than the page takes
    │   ├── TableRagged     its rows are of different lengths
    │   ├── CellNotNumber   a cell that is no number
    │   ├── CellOutside     a number that is not finite, or too large
    │   ├── ShapesDoNotFit  two tables that do not go together
    │   ├── ValueOutside    a setting that cannot be that
    │   ├── OddWidth        sines and cosines need an even width
    │   ├── FileEncoding    a file that is not UTF-8 text
    │   └── FileNotProblem  a file that was not saved by the calculator
    ├── RunError            a training run that cannot be opened, written or started
    │   ├── RunNotFound     there is no such run
    │   ├── RunExists       there is a run of that name already
    │   ├── RunCorrupt      one of its files cannot be read
    │   ├── InvalidRunName  letters, digits, "_", "." and "-" make a name
    │   ├── RunUnwritable   the disk is full, or the folder cannot be written to
    │   └── RunBusy         it is being trained already
    ├── FileNotPage         a file that no page saved, or another page                   (also a ValueError)
    ├── ForeignHost         a request for a host that this server does not answer for
    ├── MeasuringBusy       this server measures already
    ├── NotAModel           something that is no model                                   (also a TypeError)
    ├── ModelChanged        the model is not the one that was traced any more
    ├── NoHeadOutputs       the shares of a layer's heads cannot be told                (also a ValueError)
    ├── ModelFailed         the model's own code fails on what it was given
    ├── TokenizerFailed     the tokenizer's own code fails
    ├── OwnFault            code of attnviz fails: a mistake of ours
    ├── OutOfMemory         there was not enough memory                                  (also a MemoryError)
    └── TrainingDiverged    the loss ran away                                           (also a FloatingPointError)

Each class has a `code`; a page looks up the message `error.<code>` in its language and fills it with `details`.
`str(error)` is the same message in English.
"""

from __future__ import annotations

from attnviz.errors import base, calculator, data, inputs, models, runs, server, uploads
from attnviz.errors.base import *
from attnviz.errors.calculator import *
from attnviz.errors.data import *
from attnviz.errors.inputs import *
from attnviz.errors.models import *
from attnviz.errors.runs import *
from attnviz.errors.server import *
from attnviz.errors.uploads import *

__all__: list[str] = []
__all__ += base.__all__
__all__ += calculator.__all__
__all__ += data.__all__
__all__ += inputs.__all__
__all__ += models.__all__
__all__ += runs.__all__
__all__ += server.__all__
__all__ += uploads.__all__
