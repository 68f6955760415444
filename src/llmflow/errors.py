"""Every error that llmflow raises on purpose.

    LlmflowError
    ├── SettingsError          a configuration value or file is wrong
    ├── MissingDependency      an extra or a system package is not installed
    ├── DocumentError          one document cannot be read; the rest of a batch goes on
    │   └── DocumentRefused    one was read and is not served, for what is in it
    ├── DatasetError           a judged set or instruction file is malformed
    ├── StoreUnavailable       a store, index or server cannot be reached or opened
    ├── StoreCorrupt           a store contradicts the state database
    ├── ModelUnavailable       an embedder, reranker or chat model cannot be loaded or reached
    │   ├── ModelInterrupted   a chat model stopped in the middle of an answer
    │   └── PromptTooLong      prompt and answer exceed the chat model's context
    ├── PermissionDenied       the principal may not do this
    │   └── SignInRequired     nobody is signed in, or what proves it is wrong, old or locked
    ├── NotFound               there is no such thing, or none that the principal may see
    ├── NameTaken              another thing of the kind has this name
    ├── Refused                the request cannot be carried out as it is: too large, malformed, in a wrong state
    ├── Busy                   something of the kind runs already, or too much at once; try again soon
    │   └── AnswerPending      another answer of the same session is being written
    └── PromotionRefused       a candidate may not be served: no verdict, a bad one, or one that no longer holds

A message says what was wrong, what is allowed and what to do next.
"""


class LlmflowError(Exception):
    """Base of every deliberate error; its text is fit to be shown to a user."""


class SettingsError(LlmflowError):
    """A configuration value or file is wrong."""


class MissingDependency(LlmflowError):
    """A Python extra or a system package is missing; the text names the install command."""


class DocumentError(LlmflowError):
    """One document cannot be read. The text is the reason stored with the failed document."""


class DocumentRefused(DocumentError):
    """One document was read and is not served. `details` is what was found in it, picklable."""

    def __init__(self, reason: str, details: object = None):
        super().__init__(reason)
        self.details = details


class DatasetError(LlmflowError):
    """A judged question set or an instruction file is malformed; the text names file and line."""


class StoreUnavailable(LlmflowError):
    """A store or its server cannot be reached or opened."""


class StoreCorrupt(LlmflowError):
    """A store contradicts the state database; the text names the repair command."""


class ModelUnavailable(LlmflowError):
    """A model cannot be loaded or its server cannot be reached."""


class ModelInterrupted(ModelUnavailable):
    """A chat model stopped in the middle of an answer; what has arrived is incomplete."""


class PromptTooLong(ModelUnavailable):
    """Prompt and answer do not fit the chat model's context; a shorter prompt may."""


class PermissionDenied(LlmflowError):
    """The principal may not do this."""


class SignInRequired(PermissionDenied):
    """Nobody is signed in, or what proves who it is is wrong, old or locked."""


class NotFound(LlmflowError):
    """There is no such thing, or none that the principal may see; the text does not tell which."""


class NameTaken(LlmflowError):
    """Another thing of the kind has this name."""


class Refused(LlmflowError):
    """The request cannot be carried out as it is."""


class Busy(LlmflowError):
    """Something of the kind runs already, or too much runs at once; the same request may succeed in a moment."""


class AnswerPending(Busy):
    """Another answer of the same session is being written; it can be waited for or stopped."""


class PromotionRefused(LlmflowError):
    """A candidate may not be served; the text says which verdict is missing, failed or out of date."""
