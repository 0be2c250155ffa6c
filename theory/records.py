"""A list of records that prints as a table."""

from collections import Counter
from typing import Any

from emmd.theory.verdict import Record

_COLUMNS = ("claim", "model", "problem", "verdict", "predicted", "observed", "slack", "resolution", "reason")


class Records(list[Record]):
    """What `emmd.theory.verify` returns: a list of `Record`, printed as a table, in notebooks too."""

    def to_frame(self) -> Any:
        """Return a pandas.DataFrame, a row per record.

        Its columns are those of the record that say what was compared, and ``refuted`` and ``sabotages``: how
        many false variants the check has refuted, of how many.
        """
        from pandas import DataFrame

        rows = [{name: getattr(record, name) for name in _COLUMNS} for record in self]
        for row, record in zip(rows, self):
            row["verdict"] = str(record.verdict)
            row["sabotages"] = len(record.sabotages)
            row["refuted"] = sum(str(each.verdict) == "violated" for each in record.sabotages)
        return DataFrame(rows, columns=[*_COLUMNS, "refuted", "sabotages"])

    def _said(self):
        counts = Counter(str(record.verdict) for record in self)
        return ", ".join(f"{number} {verdict}" for verdict, number in counts.items()) or "no records"

    def __repr__(self) -> str:
        table = self.to_frame()[["claim", "problem", "verdict", "predicted", "observed"]]
        return f"{self._said()}\n{table.to_string(index=False)}" if len(self) else self._said()

    def _repr_html_(self) -> str:
        return f"<p>{self._said()}</p>{self.to_frame().to_html(index=False)}"
