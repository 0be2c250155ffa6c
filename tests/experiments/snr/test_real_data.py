"""Experiments on real data: inverted images, and K experts chosen by BIC."""

import gzip

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from emmd import load_runs, load_traces
from emmd.data import fashion_mnist
from emmd.experiments.snr.config.read import parse
from emmd.experiments.snr.plan.one_expert import fit_one
from emmd.experiments.snr.plan.plan import make_plan
from emmd.experiments.snr.plan.seeds import seed_of
from emmd.experiments.snr.report.scores import best_runs, budget, by_start, compared, references
from emmd.experiments.snr.report.selection import corrected_error, gains, summary
from emmd.experiments.snr.report.write import write_report
from emmd.experiments.snr.run.sweep import Options, run_sweep
from emmd.experiments.snr.sources.datasets import DataSetSource
from emmd.experiments.snr.sources.images import ImageSource

IMAGES = """
name = "images"
repetitions = 2
measures = ["one_expert", "upright"]
figures = ["image_paths", "image_gate"]
[[problems]]
source = "images"
data = "digits"
n = 400
side = 4
ridge = 1e-3
[[starts]]
kind = "random"
scale = 0.3
[[algorithms]]
method = "em"
max_iter = 8
[[algorithms]]
method = "gradient_em"
step_size = "safe"
inner_steps = 5
max_iter = 12
[[algorithms]]
method = "gradient_descent"
step_size = "backtracking"
max_iter = 30
[stopping]
tol = 1e-6
"""
SETS = """
name = "sets"
repetitions = 2
measures = ["one_expert"]
figures = ["dataset_gain"]
[[problems]]
source = "datasets"
data = ["diabetes", "iris"]
n_experts = [2, 3]
[[starts]]
kind = "data"
count = 2
[[algorithms]]
method = "em"
[stopping]
tol = 1e-4
max_iter = 60
[record]
trace = false
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    store = tmp_path_factory.mktemp("images") / "images.sqlite"
    assert run_sweep(IMAGES, store).failed == 0
    return store


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    store = tmp_path_factory.mktemp("sets") / "sets.sqlite"
    assert run_sweep(SETS, store).failed == 0
    return store


def drawn(n=400, ridge=1e-3, side=4, n_experts=2, gate="softmax"):
    cell = {"source": "images", "model": "moe", "data": "digits", "n": n, "side": side, "ridge": ridge}
    cell |= {"n_experts": n_experts, "gate": gate}
    return ImageSource.draw(cell, seed_of("a", "name"))


def test_inverted_images_are_negatives_and_can_be_put_upright():
    from sklearn.datasets import load_digits

    sample = drawn()
    assert 0.4 < sample.inverted.mean() < 0.6
    assert len(sample.test_y) == 1797 - 400
    X = sample.upright(sample.problem.X, sample.inverted)
    assert (X[:, -1] == 1).all()
    pooled = load_digits().images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16) / 8.0 - 1.0
    known = {row.tobytes() for row in pooled}
    assert all(row.tobytes() in known for row in np.ascontiguousarray(X[:, :-1]))
    flipped = sample.problem.X[sample.inverted]
    assert (flipped[:, :-1] == -X[sample.inverted][:, :-1]).all()
    other = drawn(ridge=0.5)
    assert (other.problem.X == sample.problem.X).all()
    assert (other.test_inverted == sample.test_inverted).all()


def test_scores_are_those_of_plain_formulas():
    sample = drawn()
    model = sample.problem.model
    theta = np.random.default_rng(0).standard_normal(model.n_params)
    named, X, y = model.unpack(theta), sample.test_X, sample.test_y.astype(int)
    gate = np.column_stack([X @ named["gate"][0], np.zeros(len(X))])
    joint = [
        log_softmax(gate, axis=1)[:, [k]] + log_softmax(np.column_stack([X @ B.T, np.zeros(len(X))]), axis=1)
        for k, B in enumerate(named["coef"])
    ]
    log_p = np.logaddexp(*joint)
    scores = sample.scores(theta)
    assert scores["test_loss"] == pytest.approx(-log_p[np.arange(len(y)), y].mean(), rel=1e-12)
    assert scores["test_accuracy"] == (log_p.argmax(axis=1) == y).mean()
    auc = roc_auc_score(sample.test_inverted, gate[:, 0])
    assert scores["gate_auc"] == pytest.approx(max(auc, 1 - auc))
    ridge = 0.5e-3 * ((named["coef"] ** 2).sum() + (named["gate"] ** 2).sum() / 2)
    assert scores["train_loss"] == pytest.approx(sample.problem.loss(theta) - ridge, rel=1e-12)
    swapped = model.equivalents(theta)[1]
    assert sample.scores(swapped) == pytest.approx(scores, rel=1e-9)


def test_a_gate_that_knows_the_inversion_scores_one():
    sample = drawn()
    model = sample.problem.model
    # the sum of grey values tells most images apart, noise tells nothing
    named = model.unpack(np.zeros(model.n_params))
    named["gate"][0, :-1] = -1.0
    told = sample.scores(model.pack(**named))
    assert told["gate_auc"] > 0.95
    assert told["gate_agreement"] > 0.9
    # two experts of each kind tell as much as one: experts 0 and 2 take what expert 0 took
    four = drawn(n_experts=4)
    gate = np.zeros_like(four.problem.model.unpack(np.zeros(four.problem.n_params))["gate"])
    gate[[0, 2]] = named["gate"][0]
    split = four.scores(four.problem.model.pack(gate=gate, coef=np.zeros((4, 9, 17))))
    assert split["gate_auc"] == pytest.approx(told["gate_auc"], rel=1e-12)
    assert split["gate_agreement"] == told["gate_agreement"]
    sample.test_inverted = np.random.default_rng(0).permutation(sample.test_inverted)
    assert sample.scores(model.pack(**named))["gate_auc"] < 0.56


def test_two_experts_beat_one_and_every_algorithm_starts_alike(images):
    runs, traces = load_runs(images), load_traces(images)
    assert len(runs) == 2 * 3
    assert (runs["test_accuracy"] > runs["one_test_accuracy"] + 0.05).all()
    em = runs[runs["algorithm"] == "EM"]
    assert (em["test_accuracy"] > em["one_test_accuracy"] + 0.3).all()
    assert (runs["upright_test_accuracy"] > runs["one_test_accuracy"] + 0.4).all()
    first = traces[traces["iteration"] == 0].set_index("run").join(runs[["repetition"]])
    assert (first.groupby("repetition")["loss"].nunique() == 1).all()
    assert (first["seconds"] == 0).all()
    last = traces.groupby("run", observed=True).last().reindex(runs.index)
    for name in ("train_loss", "test_loss", "test_accuracy", "gate_auc", "gate_agreement"):
        assert (last[name] == runs[name]).all()
    assert runs.groupby("algorithm")["iterations"].max().to_dict() == {
        "EM": 8,
        "gradient EM (inner steps 5, step size safe)": 12,
        "gradient descent (step size backtracking)": 30,
    }


def test_comparisons_are_at_what_every_run_had(images):
    runs, traces = load_runs(images), load_traces(images)
    assert budget(runs, "iterations") == 8
    rows = {(place, algorithm): scores for place, algorithm, scores in compared(runs, traces)}
    places = list(dict.fromkeys(place for place, _ in rows))
    assert places[0] == "8 iterations"
    assert places[1].endswith(" s")
    assert places[2] == "end"
    limit = budget(runs, "seconds")
    for place, column, largest in ((places[0], "iteration", 8), (places[1], "seconds", limit)):
        for algorithm in runs["algorithm"].unique():
            chosen = traces[traces["run"].isin(runs.index[runs["algorithm"] == algorithm])]
            within = chosen[chosen[column] <= largest].groupby("run", observed=True)["test_loss"].last()
            assert sorted(rows[place, algorithm]["test_loss"]) == sorted(within)
    named = dict(references(runs))
    assert named["one expert"]["test_loss"].mean() > named["one expert, inversion undone"]["test_loss"].mean()


def test_starts_are_told_apart_and_the_best_of_each_sample_is_chosen():
    runs = pd.DataFrame(
        {
            "algorithm": "EM",
            "repetition": [0, 0, 1, 1],
            "start_kind": "data",
            "start_index": [0, 1, 0, 1],
            "train_loss": [0.5, 0.4, 0.3, 0.6],
        },
        index=list("abcd"),
    )
    # half-way the first sample's other start was ahead
    scores = pd.DataFrame({"train_loss": [0.6, 0.7, 0.5, 0.8]}, index=list("abcd"))
    found = {start: list(chosen.index) for start, chosen in by_start(runs, scores)}
    assert found == {"kmeans": ["a", "c"], "responsibilities": ["b", "d"], "least training loss": ["a", "c"]}
    assert list(best_runs(runs).index) == ["b", "c"]


def test_the_report_of_images_and_sets_in_one_store(images, content, tmp_path):
    store = tmp_path / "both.sqlite"
    store.write_bytes(images.read_bytes())
    run_sweep(SETS.replace('["diabetes", "iris"]', '"diabetes"'), store)
    page = write_report(store, tmp_path / "report").read_text()
    assert "Not drawn" not in page
    assert page.count("<img ") == 3
    table = pd.read_csv(tmp_path / "report" / "images-image_paths.csv")
    assert len(table) == 2 + 3 * 3
    assert (table["samples"] == 2).all()
    assert table["test_accuracy_sd"].notna().all()
    assert set(load_traces(store, "images").columns) > {"gate_auc"}


def test_runs_on_real_data_do_not_depend_on_jobs(images, content, tmp_path):
    run_sweep(IMAGES, tmp_path / "two.sqlite", Options(jobs=2))
    assert content(tmp_path / "two.sqlite") == content(images)


# data sets


def test_splits_do_not_depend_on_the_number_of_experts():
    plan = make_plan(parse(SETS))
    names = {}
    for run in plan.runs:
        names.setdefault((run.data.cell["data"], run.data.repetition), set()).add(str(run.data.names))
    assert all(len(group) == 1 for group in names.values())
    assert len({str(group) for group in names.values()}) == 4
    assert plan.n_samples == 2 * 2 * 2


def test_features_are_standardised_by_the_training_rows():
    cell = {"data": "diabetes", "n_experts": 2, "ridge": 1e-2, "test_share": 0.25}
    sample = DataSetSource.draw(cell, seed_of("x"))
    assert sample.problem.X[:, :-1].mean(axis=0) == pytest.approx(np.zeros(10), abs=1e-12)
    assert sample.problem.y.std() == pytest.approx(1.0)
    assert np.abs(sample.test_X[:, :-1].mean(axis=0)).max() > 1e-3
    assert (len(sample.problem.y), len(sample.test_y)) == (331, 111)


def test_one_expert_is_ridge_regression():
    cell = {"data": "diabetes", "n_experts": 2, "ridge": 1e-2, "test_share": 0.25}
    sample = DataSetSource.draw(cell, seed_of("x"))
    X, y = sample.problem.X, sample.problem.y
    one = fit_one(sample.problem.model, X, y)
    # the penalty is in units of the variance: n ridge is scikit-learn's alpha
    other = Ridge(alpha=len(y) * 1e-2, fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(one.coef[0], other.coef_, rtol=0, atol=1e-10)
    assert one.n_params == 12


def test_bic_chooses_among_one_and_more_experts(sets):
    runs = load_runs(sets)
    proper = runs[runs["status"].isin(["converged", "iteration_limit"])]
    table = gains(runs)
    assert len(table) == 2 * 2 * 2
    for split, group in proper.groupby(["data", "repetition"]):
        bic = {1: group["one_bic"].iloc[0]}
        for experts, fits in group.groupby("n_experts"):
            best = fits.sort_values("train_loss").iloc[0]
            assert best["bic"] == pytest.approx(
                2 * best["n_train"] * best["train_loss"] + best["n_params"] * np.log(best["n_train"])
            )
            bic[experts] = best["bic"]
            row = table.set_index(["data", "repetition", "n_experts"]).loc[(*split, experts)]
            assert row["gain"] == best["one_test_loss"] - best["test_loss"]
            assert row["chosen"] == min(bic, key=bic.get) or len(bic) < 3
    # were one expert worse by far, BIC would choose more
    worse = summary(runs.assign(one_bic=np.inf)).set_index(["data", "experts"])
    assert (worse.xs("chosen by BIC", level="experts")["mean K"] >= 2).all()
    chosen = summary(runs).set_index(["data", "experts"]).xs("chosen by BIC", level="experts")
    assert (chosen.loc[chosen["mean K"] == 1, "gain"] == 0).all()
    assert (chosen["splits"] == 2).all()


def test_the_error_of_overlapping_splits_is_corrected():
    values = pd.Series([1.0, 2.0, 3.0, 4.0])
    assert corrected_error(values, 0.0) == pytest.approx(values.sem())
    assert corrected_error(values, 1 / 3) == pytest.approx(np.sqrt((1 / 4 + 1 / 3) * 5 / 3))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"digits"', '"mnist"', "data must be one of digits, fashion-mnist, got 'mnist'"),
        ("n = 400", "n = 1600", "n must be at most 1500 for digits, got 1600"),
        ("side = 4", "side = 3", "side must divide 8 for digits, got 3"),
        (
            'kind = "random"\nscale = 0.3',
            'kind = "truth"',
            "starts[0].kind must be one of data, dense, random",
        ),
        (
            '["one_expert", "upright"]',
            '["contraction"]',
            "measures must be one of one_expert, path_rate, upright",
        ),
        (
            'step_size = "safe"',
            'step_size = "best"',
            "algorithms[1].step_size must be one of safe for source",
        ),
    ],
)
def test_a_wrong_config_is_refused(old, new, says):
    assert old in IMAGES
    with pytest.raises(ValueError, match=r"^images\.toml") as refusal:
        parse(IMAGES.replace(old, new), "images.toml")
    assert says in str(refusal.value)


# Fashion-MNIST's files

FASHION = IMAGES.replace('"digits"', '"fashion-mnist"')


@pytest.mark.parametrize("command", ["run", "check"])
def test_missing_images_are_one_sentence_before_anything_runs(emmd, tmp_path, command):
    config, store = tmp_path / "fashion.toml", tmp_path / "s.sqlite"
    config.write_text(FASHION)
    more = ["--store", store, "--jobs", 1] if command == "run" else []
    code, _, err = emmd("snr", command, config, "--data-dir", tmp_path, *more)
    assert code == 2
    assert err.count("\n") == 1
    assert "Debian's package dataset-fashion-mnist" in err
    assert f"--data-dir, got no readable train-images-idx3-ubyte.gz in {tmp_path}" in err
    assert not store.exists()


def test_other_images_are_refused(emmd, tmp_path):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"\x00" * 16))
    config = tmp_path / "fashion.toml"
    config.write_text(FASHION)
    code, _, err = emmd("snr", "check", config, "--data-dir", tmp_path)
    assert (code, "must be the published one" in err) == (2, True)


def test_images_are_read_plain_or_packed(tmp_path, monkeypatch):
    import hashlib

    rng = np.random.default_rng(0)
    parts = {}
    for k, name in enumerate(fashion_mnist._DIGESTS):
        header, size = (b"\x00" * 16, 784 * 3) if "images" in name else (b"\x00" * 8, 3)
        parts[name] = header + rng.integers(0, 256, size, dtype=np.uint8).tobytes()
        packed = k % 2 == 0
        data = gzip.compress(parts[name]) if packed else parts[name]
        (tmp_path / (f"{name}.gz" if packed else name)).write_bytes(data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    monkeypatch.setattr(fashion_mnist, "_DIGESTS", digests)
    monkeypatch.setenv(fashion_mnist.DATA_DIR, str(tmp_path))
    images, labels, tests, test_labels = fashion_mnist.fashion_mnist()
    assert images.shape == tests.shape == (3, 28, 28)
    assert images.tobytes() == parts["train-images-idx3-ubyte"][16:]
    assert labels.tobytes() == parts["train-labels-idx1-ubyte"][8:]
    assert test_labels.tobytes() == parts["t10k-labels-idx1-ubyte"][8:]
