"""Events and their fields to stderr: words for a terminal, JSON for a machine."""

from __future__ import annotations

import logging
import sys

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
FORMATS = ("auto", "logfmt", "json", "console")


def say(level: str, form: str) -> None:
    """Set level and form of every log line; "auto" is words on a terminal and JSON elsewhere."""
    if form == "auto":
        form = "console" if sys.stderr.isatty() else "json"
    render: structlog.typing.Processor
    if form == "console":
        render = structlog.dev.ConsoleRenderer()
    elif form == "logfmt":
        render = structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event"))
    else:
        render = structlog.processors.JSONRenderer()
    traced = [] if form == "console" else [structlog.processors.format_exc_info]
    structlog.configure(
        [
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso"),
            *traced,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(
        level=max(LEVELS[level], logging.WARNING), stream=sys.stderr, format="%(name)s: %(message)s"
    )
