"""Whether what a service hands over can be used; said at once, instead of with the first request."""

import inspect
from types import ModuleType

from serinus.asgi.options import Options
from serinus.asgi.subject import Subject
from serinus.errors import InvalidInput, Problem

_TAKES_OTHERS = {
    0: "takes no arguments; if it makes the application, call it and give what it returns",
    1: "takes one argument, as a handler of requests does; give the application that holds the handler",
    2: "takes two arguments, as a WSGI application does; give an ASGI application: Django's `get_asgi_application()`,"
    " or `WSGIMiddleware(app)` of the package a2wsgi",
}


def refuse_unusable(legacy: object, canary: object, subject: object, options: object) -> None:
    """Raises `InvalidInput` for all of them that cannot be used."""
    wrong = {
        "legacy": _wrong_application(legacy),
        "canary": _wrong_application(canary),
        "subject": _wrong_subject(subject),
        "options": _wrong_options(options),
    }
    if problems := [Problem(name, message) for name, message in wrong.items() if message]:
        raise InvalidInput(*problems)


def _wrong_application(app: object) -> str | None:
    """By what it is, and by the arguments that it takes; whether it is one shows when it answers."""
    if isinstance(app, str | ModuleType):
        name = app if isinstance(app, str) else app.__name__
        return f"{name!r} is the name of an application at best; import it and give the application itself"
    if not callable(app):
        return f"{app!r} is no ASGI application: nothing can call it"
    if isinstance(app, type) and not hasattr(app, "__await__"):
        return f"{app.__name__} is a class; give an application that it made, such as {app.__name__}()"
    if _takes(app, 3):
        return None
    taken = next((_TAKES_OTHERS[number] for number in sorted(_TAKES_OTHERS) if _takes(app, number)), "does not")
    return f"{_name(app)} is no ASGI application, which takes (scope, receive, send): it {taken}"


def _wrong_subject(subject: object) -> str | None:
    if isinstance(subject, str):
        return f"{subject!r} is only a name; say where it stands, such as subject.header({subject!r})"
    if isinstance(subject, Subject):
        wrong = (_wrong_function(source.read) for source in subject.sources if source.foreign)
        return next((message for message in wrong if message), None)
    return _wrong_function(subject)


def _wrong_function(read: object) -> str | None:
    if not callable(read):
        return f"{read!r} does not say who a request is from; write it like subject.header('x-user-id')"
    if _takes(read, 2):
        return None
    return f"a subject function is called with (scope, body); {_name(read)} cannot take two arguments"


def _wrong_options(options: object) -> str | None:
    if options is None or isinstance(options, Options):
        return None
    return f"{options!r} are no options; write them like Options(timeout_seconds=3)"


def _takes(function: object, number: int) -> bool:
    """Whether it can be called with so many arguments; yes where nobody can tell."""
    try:
        inspect.signature(function).bind(*range(number))  # type: ignore[arg-type]  # it is callable
    except ValueError:  # a built-in that tells nothing of itself
        return True
    except TypeError:
        return False
    return True


def _name(function: object) -> str:
    return getattr(function, "__qualname__", type(function).__name__)
