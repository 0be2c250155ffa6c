"""Records print as a table, in a terminal and in a notebook."""

import numpy as np

import emmd
from emmd import theory


def test_a_table_of_records():
    model = emmd.SymMoLinE(2)
    X, y, _ = model.sample(np.array([1.0, 0.5, 0.5, 1.0]), 200, np.random.default_rng(0))
    records = theory.verify(emmd.Problem(model, X, y), 0.1 * np.ones(4), ["E0", "E1"], name="mine <1>")
    assert isinstance(records, list)
    table = records.to_frame()
    assert table["claim"].tolist() == [record.claim for record in records]
    assert table["verdict"].tolist() == [str(record.verdict) for record in records]
    assert (table["refuted"] > 0).any()
    assert (table["refuted"] <= table["sabotages"]).all()
    first = records[0]
    assert repr(records).startswith(f"{len(records)} holds\n")
    assert first.claim in repr(records)
    html = records._repr_html_()
    assert first.claim in html
    assert "mine &lt;1&gt;" in html
    assert repr(theory.Records()) == "no records"
