"""Logs of every process, configured in one place: structlog and the standard library in one stream, masked.

JSON, one event a line, or for people where the stream is a terminal. Every event carries the trace id and the account id of
the request that its thread works for.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, MutableMapping
from typing import Any, Literal

from llmflow.config import Settings
from llmflow.context import current_request
from llmflow.ingestion.masking import MaskingSettings
from llmflow.serving.operating.log_masking import LogMasker

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class LogSettings(Settings):
    """What is written, and how."""

    format: Literal["auto", "json", "console"] = "auto"
    """`auto`: for people in a terminal, JSON where the stream goes into a file or a collector."""
    level: Level = "INFO"
    """Of llmflow."""
    libraries: Level = "WARNING"
    """Of everything else: uvicorn, gradio, huey, mlflow."""

    def for_people(self) -> "LogSettings":
        return self.model_copy(update={"format": "console"})


def configure_logging(settings: LogSettings | None = None, mask: Callable[[str], str] | None = None, stream: Any = None) -> None:
    """Route every log of this process through one masking handler on `stream` (stderr); calling it again replaces it.

    `mask` None masks as documents are masked by default. Exceptions that end a thread or the process are logged as well, since
    Python would print their text as it is.
    """
    settings = settings or LogSettings()
    stream = stream if stream is not None else sys.stderr
    as_json = settings.format == "json" or (settings.format == "auto" and not stream.isatty())
    handler = _Handler(stream)
    handler.setFormatter(make_formatter("json" if as_json else "console", mask))
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old, _Handler) or type(old) is logging.StreamHandler:
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.libraries)
    logging.getLogger("llmflow").setLevel(settings.level)
    logging.getLogger("presidio-analyzer").setLevel(logging.CRITICAL)  # quotes words of the text
    for logger in [item for item in logging.root.manager.loggerDict.values() if isinstance(item, logging.Logger)]:
        for own in [own for own in logger.handlers if type(own) is logging.StreamHandler]:  # would print unmasked
            logger.removeHandler(own)
            logger.propagate = True
    for name in ("uvicorn", "uvicorn.error"):  # uvicorn's own configuration lets nothing past them
        logging.getLogger(name).propagate = True
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")  # it would set handlers past every method
    logging.setLoggerClass(_RoutedLogger)
    logging.lastResort = handler  # type: ignore[assignment]  # loggers without a handler that do not propagate
    logging.getLogger("uvicorn.access").disabled = True  # it writes paths with their queries; ours writes routes
    _catch_uncaught()


def make_formatter(format: Literal["auto", "json", "console"] = "auto", mask: Callable[[str], str] | None = None) -> Any:
    """Return a formatter for any handler of the standard library, such as Kedro's in conf/base/logging.yml."""
    import structlog

    if format == "auto":
        format = "console" if sys.stderr.isatty() else "json"
    shared: list[Any] = [
        _add_request,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    masking = LogMasker(mask or _default_mask)
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    if format == "console":
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            lambda _logger, _name, event: masking.event(event),
            renderer,
        ],
    )


def _default_mask(text: str) -> str:
    from llmflow.ingestion.prepare import load_masker

    return load_masker(MaskingSettings()).mask(text).text


def _add_request(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    request = current_request()
    if request is not None:
        event.setdefault("trace_id", request.trace_id)
        if request.account_id:
            event.setdefault("account_id", request.account_id)
            event.setdefault("tenant", request.tenant)
    return event


class _RoutedLogger(logging.Logger):
    """A logger of a library that is imported later, such as MLflow or huey: its own handler for the terminal is not taken."""

    def addHandler(self, hdlr: logging.Handler) -> None:
        if type(hdlr) is not logging.StreamHandler:
            super().addHandler(hdlr)


class _Handler(logging.StreamHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Say that a record was lost. Python's own handler would print its arguments as they are."""
        try:
            self.stream.write(f'{{"level": "error", "event": "a log record was lost", "logger": "{record.name}"}}\n')
        except Exception:
            return


def _catch_uncaught() -> None:
    log = logging.getLogger("llmflow.uncaught")

    def process(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("Ended by an error", exc_info=(kind, error, trace))

    def thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and not issubclass(arguments.exc_type, SystemExit):
            where = arguments.thread.name if arguments.thread else "unknown"
            problem = (arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
            log.error("The thread %s ended by an error", where, exc_info=problem)

    sys.excepthook, threading.excepthook = process, thread
