"""The user's text, such as names of columns, files and classes, as others are to be shown it.

Names are text: nothing in them is markup, mathematics or a command to the terminal.
"""


def visible(text, longest=None):
    r"""Return a text in one line without control characters.

    Parameters
    ----------
    text : object
        What is no text is shown as `str` does.
    longest : int, optional
        Cut after so many characters, and say so by three dots.

    Returns
    -------
    str
        What cannot be seen or printed stands as an escape: a line break as ``\n``.
    """
    text = str(text)
    if longest is not None and len(text) > longest:
        text = text[: longest - 3] + "..."
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def for_figure(text, longest=32):
    """Return a text as matplotlib shows it letter by letter: a dollar would begin a formula."""
    return visible(text, longest).replace("$", r"\$")
