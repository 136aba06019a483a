"""How templates are run: what comes out is Jinja's, without what it does anew for each word.

A call screen writes 1,700 values and calls 500 macros and functions; a queue asks for 1,500
attributes. Of a queue's rendering this saves a third, of a call screen's a twelfth. Each of the
four is at a place that Jinja has for it; one name of markupsafe's is its own, and tests hold what
comes out against what it writes itself.
"""

from collections.abc import MutableMapping
from functools import cache, partial
from types import FunctionType, MethodType
from typing import Any

from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst
from jinja2.runtime import Context, Macro
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]

_PLAIN = frozenset({FunctionType, MethodType, partial, type(cache(escape))})
_OF_BLOCKS_AND_LOOPS = ("_block_vars", "_loop_vars")  # what templates hand to every call


def escaped(value: object) -> str:
    """Return ``value`` as it stands in a page: what is safe as it is, is not copied.

    What comes out is a piece of a page, and need not say that it is safe to escape: so a text is
    escaped by what markupsafe itself does it with, without an object around each piece.
    """
    kind = type(value)  # not __class__: what stands for another value tells that one's
    if kind is Markup or (kind is str and value.isalnum()):  # type: ignore[attr-defined]
        return value  # type: ignore[return-value]
    if kind is str:
        return _escape_inner(value)  # type: ignore[arg-type]
    return str(value) if kind is int else escape(value)


class _Generator(CodeGenerator):
    """Writes templates whose values go through :func:`escaped`, and that ask for attributes."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
            return
        self.write("environment.escaped(")
        self.write(finalize.src or "")

    @optimizeconst
    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Write what asks for an attribute by itself, and asks Jinja where there is none.

        That also looks among the items, as ``page.title`` may be ``page["title"]``.
        """
        self.write("(found if (found := getattr((owner := ")
        self.visit(node.node, frame)
        self.write(f"), {node.attr!r}, missing)) is not missing else ")
        self.write(f"environment.getattr(owner, {node.attr!r}))")


class _Context(Context):
    """Calls plain functions and macros without asking three times what of the page they need."""

    def call(self, called: Any, /, *given: Any, **named: Any) -> Any:
        """Return what ``called`` returns."""
        kind = type(called)
        is_plain = kind in _PLAIN and not hasattr(called, "jinja_pass_arg")
        if not is_plain and kind is not Macro:
            return super().call(called, *given, **named)
        if named:
            for each in _OF_BLOCKS_AND_LOOPS:
                named.pop(each, None)
        return called(*given, **named) if is_plain else called(self.eval_ctx, *given, **named)


class Rendering(Environment):
    """Flask's environment, quicker."""

    code_generator_class = _Generator
    context_class = _Context
    escaped = staticmethod(escaped)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return what a template finds without being given it: for ours, one dictionary.

        Jinja lays each template's own over all templates', and walks through both whenever a
        template imports another one. What one were given of its own beside this all would get,
        so a template is never loaded with any.
        """
        return super().make_globals(d) if d else self.globals
