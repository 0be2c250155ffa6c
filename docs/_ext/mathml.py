"""Formulas become MathML while the site is built: browsers draw it themselves, without a script or a font."""

import re

from latex2mathml.converter import convert

_RELATION = re.compile(r"<mi>(&#x0?2AA[FB0];|&#x02291;)</mi>")
"""Signs of order, which the converter takes for letters: without the space around them."""

_RAISED = re.compile(r"<mo>(&#x0002[AB];)</mo>(</msup>|</msubsup>)")
"""A star or a plus as an exponent, which is no operator."""


def to_mathml(latex, display="inline"):
    """Return a formula as MathML.

    Raises
    ------
    ValueError
        For what cannot be converted, or would be shown as a command.
    """
    try:
        text = convert(latex.replace(r"\arg", r"\operatorname{arg}"), display=display)
    except Exception as error:
        raise ValueError(f"a formula must be LaTeX that MathML can say, got {latex!r}: {error}") from error
    if "\\" in text:
        raise ValueError(f"a formula must hold known commands only, got {latex!r}")
    return _RAISED.sub(r"<mi>\1</mi>\2", _RELATION.sub(r"<mo>\1</mo>", text))


def _inline(writer, node):
    writer.body.append(to_mathml(node.astext()))


def _block(writer, node):
    identifier = f' id="{node["ids"][0]}"' if node["ids"] else ""
    math = to_mathml(node.astext().strip(), "block")
    writer.body.append(f'<div class="formula"{identifier}>{math}</div>\n')


def _skip(visit):
    def visit_and_skip(writer, node):
        from docutils.nodes import SkipNode

        visit(writer, node)
        raise SkipNode

    return visit_and_skip


def setup(app):
    """Add the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (_skip(_inline), None), (_skip(_block), None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
