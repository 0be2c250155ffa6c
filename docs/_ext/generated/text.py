"""Markdown from the words and numbers of the package, and files that change only when their text does."""

import re

import matplotlib as mpl

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|$#^~])")


def plain(words):
    """Return words as Markdown shows them letter by letter."""
    return _SPECIAL.sub(r"\\\1", str(words))


def number(value, digits=4):
    """Return a number with a few digits, or a dash."""
    # the minus sign proper: lines break at hyphens
    return "-" if value is None else f"{value:.{digits}g}".replace("-", "\N{MINUS SIGN}")


def verdict(name):
    """Return a verdict in its colour."""
    return f'<span class="verdict-{name.replace(" ", "-")}">{name}</span>'


def table(head, rows):
    """Return a Markdown table; cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def save(path, text):
    """Write a page, but leave one alone that says the same: Sphinx then need not read it again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def first_sentence(docstring):
    """Return the first paragraph of a docstring in one line."""
    return " ".join((docstring or "").strip().partition("\n\n")[0].split())


def save_all(folder, pages):
    """Save the pages of a folder, by name, and remove those that were there and are no more."""
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        save(folder / name, text)


def save_figure(figure, path):
    """Save a figure as an SVG that is the same from build to build."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(path, format="svg", metadata={"Date": None}, facecolor="white")
