"""K experts at given separations on the command line: rates, populations, the user's data, sweeps."""

import json

import numpy as np
import pytest

from emmd.experiments.snr.sources.snr import SnrSource

OF = ["--model", "moe", "--experts", "2", "--family", "bernoulli"]
SNR = ["--snr-expert", "2", "--snr-gate", "1", "--cosine", "0.3", "--d", "3"]


def test_populations(emmd):
    code, out, _ = emmd("population", *OF, *SNR, "--json", "-")
    found = json.loads(out)
    assert code == 0
    assert found["rate"] == max(found["eigenvalues"])
    assert emmd("population", *OF, *SNR, "--bound", "1")[0] == 2


def test_rates(emmd):
    code, out, _ = emmd("rates", *OF, *SNR, "--n", "400", "--json", "-", "--algorithm", "em")
    (line,) = json.loads(out)
    assert code == 0
    assert line["predicted"] == pytest.approx(line["observed"], rel=1e-4)


def test_the_users_data(emmd, tmp_path):
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal(200), rng.random(200) < 0.5
    y = rng.poisson(np.exp(0.5 + np.where(z, 0.9, -0.9) * x))
    table = tmp_path / "counts.csv"
    table.write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y)))
    words = ["--data", str(table), "--target", "y", "--model", "moe", "--claim", "E5", "--json", "-"]
    code, out, _ = emmd("verify", *words, "--family", "poisson")
    (record,) = json.loads(out)
    assert code == 0
    assert record["model"] == "moe"
    assert "--experts 2 --family poisson" in record["reproduce"]
    code, _, err = emmd("verify", *words, "--family", "bernoulli")
    assert code == 2
    assert "--target y: y must hold 0 and 1 for family bernoulli" in err


BLOCK = {"n": 100, "d": 4, "snr_expert": 1.0, "snr_gate": [0.5, 1.0], "cosine": 0.3}


def test_cells_of_symmetric_models_are_as_ever():
    cells = SnrSource.model_validate({"model": "symmoline", **BLOCK}).cells()
    assert [list(cell) for cell in cells] == [
        ["source", "model", "n", "d", "snr_expert", "snr_gate", "cosine"]
    ] * 2


def test_cells_of_k_experts():
    block = {"model": "moe", "n_experts": [2, 3], "family": ["poisson", "categorical"], **BLOCK}
    cells = SnrSource.model_validate({**block, "n_classes": [3, 4]}).cells()
    # counts have no classes, so their cells do not come twice
    assert len(cells) == 2 * 2 * (1 + 2)
    sample = SnrSource.draw(cells[-1], 0)
    assert sample.problem.model.n_experts == 3
    assert sample.problem.model.family.n_classes == 4


def test_what_a_block_cannot_say():
    with pytest.raises(ValueError, match="n_experts must be given for model 'moe' alone"):
        SnrSource.model_validate({"model": "symmoline", "n_experts": 2, **BLOCK})
    with pytest.raises(ValueError, match="at least 6, for two simplices"):
        SnrSource.model_validate({"model": "moe", "n_experts": 6, **BLOCK})
