"""One statement per file; a file dropped here is found.

A file defines ``LABEL``, ``STATEMENT``, ``ASSUMES``, ``SABOTAGES`` and ``residual(model, ...)``,
which returns the expressions that the statement says are zero.  The keyword arguments of
``residual`` have the true values as defaults; a sabotage sets one of them to a false value.
"""
