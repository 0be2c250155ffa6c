"""`emmd fit`: numbers, table, files that load again, exit codes."""

import csv
import json

import numpy as np
import pytest

import emmd as package
from tests.generators.degenerate import FAMILIES, PAIRS, case


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def two_lines(n=200, columns=1):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, columns))
    first = rng.random(n) < 1.0 / (1.0 + np.exp(-2.0 * X[:, 0]))
    y = np.where(first, 1.0 + X.sum(axis=1), -X[:, 0]) + 0.3 * rng.standard_normal(n)
    return X, y, first


@pytest.fixture
def lines(tmp_path):
    X, y, _ = two_lines()
    return write(tmp_path / "lines.csv", ["x", "y"], np.column_stack([X, y]).tolist())


KEYS = {
    "loglik",
    "n_iter",
    "converged",
    "status",
    "params",
    "standard_errors",
    "rate",
    "aic",
    "bic",
    "starts",
}


def test_fit_prints_json_for_programs(emmd, lines):
    words = ("fit", lines, "--target", "y", "--experts", "2", "--family", "gaussian", "--starts", "3")
    code, out, _ = emmd(*words, "--seed", "5", "--json", "-")
    fit = json.loads(out)
    assert code == 0
    assert set(fit) >= KEYS
    assert fit["converged"] is True
    assert fit["status"] == "converged"
    assert [start["kind"] for start in fit["starts"]] == ["kmeans", "responsibilities", "parameters"]
    X, y, _ = two_lines()
    same = package.MixtureOfExpertsRegressor(n_init=3, random_state=5).fit(X, y)
    assert fit["loglik"] == pytest.approx(same.log_density(X, y).sum(), rel=1e-12)
    assert fit["rate"] == pytest.approx(same.em_rate_, rel=1e-9)
    np.testing.assert_allclose(fit["params"]["coef"], same.coef_, rtol=1e-12)
    np.testing.assert_allclose(fit["standard_errors"]["gate_coef"], same.standard_errors_["gate_coef"])
    assert emmd(*words, "--seed", "5", "--json", "-")[1] == out


def test_the_table_shows_coefficients_and_errors(emmd, lines):
    code, out, _ = emmd("fit", lines, "--target", "y", "--experts", 2, "--family", "gaussian", "--starts", 2)
    X, y, _ = two_lines()
    same = package.MixtureOfExpertsRegressor(n_init=2, random_state=0).fit(X, y)
    assert code == 0
    assert f"{same.coef_[0, 0]:.5g} ({same.standard_errors_['coef'][0, 0]:.4g})" in out
    assert f"log-likelihood {same.loglik_:.6f}" in out
    assert "2 of 2 starts converged, 2 ended at the best optimum" in out


@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "categorical"])
@pytest.mark.parametrize("columns", [1, 2])
def test_out_writes_a_model_that_loads_and_a_picture(emmd, tmp_path, family, columns):
    X, y, _ = two_lines(columns=columns)
    noise = np.random.default_rng(1).logistic(size=len(y))
    target = {
        "gaussian": y,
        "bernoulli": (y + noise > 0).astype(int),
        "categorical": np.digitize(y + noise, [-1, 1]),
    }
    names = ["u", "v"][:columns]
    path = write(tmp_path / "data.csv", [*names, "t"], np.column_stack([X, target[family]]).tolist())
    out = tmp_path / "out"
    code, _, _ = emmd(
        "fit", path, "--target", "t", "--experts", 2, "--family", family, "--starts", 1, "--out", out
    )
    assert code == 0
    model = package.load_model(out / "model.json")
    assert model.n_features_in_ == columns
    assert {path.name for path in out.iterdir()} == {"model.json", "experts.png", "experts.pdf"}
    assert (out / "experts.png").stat().st_size > 5000
    loglik = model.log_density(X, target[family]).sum()
    assert loglik == pytest.approx(model.loglik_, rel=1e-9)


def test_a_degenerate_fit_is_a_result_that_names_its_status(emmd, tmp_path):
    path = write(tmp_path / "exact.csv", ["x", "y"], [[k, 2 * k + 1] for k in range(20)])
    words = ("fit", path, "--target", "y", "--experts", 2, "--family", "gaussian", "--starts", 2)
    code, out, _ = emmd(*words)
    assert code == 0
    assert "variance_collapse" in out
    assert "0 of 2 starts converged" in out
    code, out, _ = emmd(*words, "--json", "-")
    assert code == 0
    assert json.loads(out)["converged"] is False
    assert json.loads(out)["standard_errors"] is None
    assert "NaN" not in out


def test_dependent_columns_are_fitted_and_named(emmd, tmp_path):
    rows = [[k % 2, 1 - k % 2, k % 2 + 0.1 * (k % 7)] for k in range(40)]
    path = write(tmp_path / "dummies.csv", ["yes [%]", "no", "y"], rows)
    words = ("fit", path, "--target", "y", "--experts", 1, "--family", "gaussian", "--json", "-")
    code, out, err = emmd(*words)
    assert (code, err) == (0, "")
    assert json.loads(out)["converged"] is True
    assert "Columns ['yes [%]', 'no'] of X are linearly dependent" in json.loads(out)["message"]
    shown = emmd(*words[:-2])[1]
    assert "['yes [%]', 'no'] of X are linearly dependent" in shown


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_degenerate_tables_of_every_family(emmd, tmp_path, kind, name):
    X, y, status = case(kind, name)
    names = [f"x{j}" for j in range(X.shape[1])]
    path = write(tmp_path / "data.csv", [*names, "y"], np.column_stack([X, y]).tolist())
    family, options = FAMILIES[name]
    options = {word: value for word, value in options.items() if word != "n_classes"}
    code, out, _ = emmd(*with_options(path, family=family, starts=6, json="-", **options))

    def refuse(constant):
        raise AssertionError(f"{constant} in the output")

    fit = json.loads(out, parse_constant=refuse)
    assert code == 0
    assert status.name.lower() in {start["status"] for start in fit["starts"]} | {fit["status"]}
    if kind not in ("identical rows", "separable gate"):
        assert fit["status"] == status.name.lower()
        assert fit["converged"] is False


def with_options(path, **options):
    words = {"target": "y", "experts": 2, "family": "gaussian", **options}
    return ["fit", path, *(word for name, value in words.items() for word in (f"--{name}", value))]


BAD = [
    ({"target": "z"}, "--target must be one of"),
    ({"experts": 0}, "n_experts must be at least 1, got 0"),
    ({"experts": 300}, "--experts must be at most the number of rows"),
    ({"family": "gausian"}, "did you mean 'gaussian'"),
    ({"family": "poisson"}, "y must hold counts"),
    ({"family": "gamma"}, "y must be positive"),
    ({"family": "bernoulli"}, "--target must hold whole numbers for family bernoulli"),
    ({"family": "poisson", "variance": "shared"}, "gaussian only"),
    ({"variance": "loose"}, "--variance must be free, shared or a number"),
    ({"variance": "-1"}, "--variance must be positive"),
    ({"starts": 0}, "starts"),
    ({"gate-ridge": "-1"}, "gate_ridge must not be negative"),
]


@pytest.mark.parametrize(("options", "says"), BAD, ids=[says[:30] for _, says in BAD])
def test_bad_input_exits_2_with_one_sentence(emmd, lines, options, says):
    code, out, err = emmd(*with_options(lines, **options))
    assert code == 2
    assert says in err
    assert err.startswith("emmd: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err + out


def test_penalties_are_options(emmd, lines):
    words = with_options(lines, starts=2, json="-")
    plain = json.loads(emmd(*words)[1])
    code, out, _ = emmd(*words, "--prior-strength", "0.2", "--expert-ridge", "0.01", "--gate-ridge", "0.01")
    assert code == 0
    assert json.loads(out)["converged"] is True
    assert json.loads(out)["loglik"] < plain["loglik"]


def test_what_is_known_are_options(emmd, tmp_path):
    X, y, _ = two_lines(columns=2)
    path = write(tmp_path / "data.csv", ["u", "v", "y"], np.column_stack([X, y]).tolist())
    free = tmp_path / "free.json"
    words = with_options(path, starts=4)
    assert emmd(*words, "--json", free)[0] == 0
    whole = json.loads(free.read_text())
    for part, names in (("gate", ["gate_coef", "gate_intercept"]), ("experts", ["coef", "dispersion"])):
        code, out, _ = emmd(*words, f"--fixed-{part}", free, "--json", "-")
        fit = json.loads(out)
        assert code == 0
        assert fit["loglik"] == pytest.approx(whole["loglik"], rel=1e-9)
        assert fit["aic"] < whole["aic"]
        for name in names:
            np.testing.assert_allclose(fit["params"][name], whole["params"][name], rtol=1e-10, atol=1e-12)
            assert not np.any(fit["standard_errors"][name])
    code, out, _ = emmd(*words, "--gate", "constant", "--json", "-")
    assert np.all(np.array(json.loads(out)["params"]["gate_coef"]) == 0.0)
    code, out, _ = emmd(*words, "--expert-feature", "v", "--gate-feature", "u", "--json", "-")
    assert code == 0
    params = json.loads(out)["params"]
    assert np.all(np.array(params["coef"])[:, 0] == 0.0)
    assert np.all(np.array(params["gate_coef"])[:, 1] == 0.0)
    table = emmd(*words, "--fixed-gate", free)[1]
    assert f"{whole['params']['gate_coef'][0][0]:.5g} (fixed)" in table


WRONG = [
    (["--gate", "hard"], "gate must be one of"),
    (["--gate-feature", "w"], "--gate-feature must be one of x, got 'w'"),
    (["--gate", "constant", "--gate-feature", "x"], "gate_features must be None for gate='constant'"),
    (["--fixed-gate", "no.json"], "--fixed-gate must be a readable JSON file"),
    (["--fixed-gate", "DEEP"], "--fixed-gate must be a readable JSON file"),
    (["--fixed-gate", "EMPTY"], "--fixed-gate must be a JSON file with gate_coef, gate_intercept, got none"),
    (["--fixed-gate", "EMPTY", "--fixed-experts", "EMPTY"], "must not be given together"),
    (["--fixed-gate", "ODD"], "gate_coef must have shape (2, 1), got (1, 1)"),
]


@pytest.mark.parametrize(("words", "says"), WRONG, ids=[says[:30] for _, says in WRONG])
def test_bad_options_of_what_is_known(emmd, lines, tmp_path, words, says):
    files = {"EMPTY": "[1]", "DEEP": "[" * 100_000, "ODD": '{"gate_coef": [[1]], "gate_intercept": [0, 0]}'}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    code, _, err = emmd(*with_options(lines), *(tmp_path / w if w in files else w for w in words))
    assert code == 2
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_separators_byte_order_marks_and_line_ends(emmd, lines, tmp_path, mark):
    path = tmp_path / "other.csv"
    text = "\ufeff" + lines.read_text().replace(",", mark).replace("\r\n", "\n").replace("\n", "\r\n")
    path.write_bytes(text.encode())
    words = ["--target", "y", "--experts", 2, "--family", "gaussian", "--starts", 1, "--json", "-"]
    assert emmd("fit", path, *words) == emmd("fit", lines, *words)


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_labels_may_be_words(emmd, tmp_path, columns):
    X, y, _ = two_lines(n=150, columns=columns)
    names = np.array(["low", "mid", "top"])[
        np.digitize(y + np.random.default_rng(1).logistic(size=150), [-1, 1])
    ]
    rows = [[*map(float, x), name] for x, name in zip(X, names)]
    path = write(tmp_path / "data.csv", [*"abc"[:columns], "t"], rows)
    words = ["fit", path, "--target", "t", "--experts", 2, "--family", "categorical", "--starts", 1]
    words += ["--prior-strength", 0.1, "--out", tmp_path / "out", "--json", tmp_path / "fit.json"]
    code, out, _ = emmd(*words)
    fit = json.loads((tmp_path / "fit.json").read_text())
    model = package.load_model(tmp_path / "out" / "model.json")
    assert code == 0
    assert fit["classes"] == model.classes_.tolist() == ["low", "mid", "top"]
    assert "expert class low" in out
    assert model.log_density(X, names).sum() == pytest.approx(fit["loglik"], rel=1e-10)
    assert (tmp_path / "out" / "experts.png").exists() == (columns < 3)


def test_two_words_are_bernoulli_and_a_missing_one_is_refused(emmd, tmp_path):
    X, _, first = two_lines(n=100)
    rows = [[x, "yes" if z else "no"] for x, z in zip(X[:, 0], first)]
    path = write(tmp_path / "data.csv", ["x", "y"], rows)
    words = with_options(path, family="bernoulli", starts=1, json="-")
    assert json.loads(emmd(*words)[1])["classes"] == ["no", "yes"]
    missing = write(tmp_path / "missing.csv", ["x", "y"], [*rows, [1.0, ""]])
    three = write(tmp_path / "three.csv", ["x", "y"], [*rows, [1.0, "-"]])
    for words, says in (
        (with_options(path), "line 2, column 'y' must be a number, got "),
        (with_options(missing, family="bernoulli"), "line 102 must have a label in the target column"),
        (with_options(three, family="bernoulli"), "two different labels for family bernoulli, got 3"),
    ):
        code, _, err = emmd(*words)
        assert code == 2
        assert says in err
        assert err.count("\n") == 1


def test_keep_chooses_the_start(emmd, tmp_path):
    rng = np.random.default_rng(8)
    x = rng.standard_normal(60)
    y = np.where(x < 0, -2.0 * x, 3.0 * x + 2.0) + 0.6 * rng.standard_normal(60)
    table = write(tmp_path / "step.csv", ["x", "y"], np.column_stack([x, y]).tolist())
    words = ("fit", table, "--target", "y", "--experts", "2", "--family", "gaussian", "--variance", "shared")
    kept = {}
    for keep in ("best", "converged"):
        code, out, _ = emmd(*words, "--starts", "6", "--keep", keep, "--json", "-")
        kept[keep] = json.loads(out)
        assert code == 0
    assert kept["converged"]["converged"] is True
    assert kept["best"]["loglik"] > kept["converged"]["loglik"] + 0.5
    assert "keep='converged'" in kept["best"]["message"]
    code, _, err = emmd(*words, "--keep", "first")
    assert code == 2
    assert "keep must be one of best, converged" in err


def test_a_formula_says_what_experts_and_gate_see(emmd, tmp_path):
    X, y, _ = two_lines(n=120)
    sites = np.where(np.random.default_rng(0).random(120) < 0.5, "a", "b")
    rows = [[x, s, t] for x, s, t in zip(X[:, 0], sites, y)]
    path = write(tmp_path / "data.csv", ["x", "site", "y"], [*rows, [1.0, "", 2.0]])
    words = ["fit", path, "--experts", 2, "--family", "gaussian", "--starts", 1, "--json", "-"]
    code, out, err = emmd(*words, "--formula", "y ~ x + C(site) | x", "--drop-missing")
    fit = json.loads(out)
    assert code == 0
    assert fit["features"] == ["x", "C(site)[T.b]"]
    assert fit["dropped_rows"] == 1
    assert "1 of 121 rows have a missing cell" in " ".join(err.split())
    columns = np.column_stack([X, sites == "b"]).astype(float)
    same = package.MixtureOfExpertsRegressor(gate_features=[0], n_init=1, random_state=0).fit(columns, y)
    assert fit["loglik"] == pytest.approx(same.loglik_, rel=1e-9)
    for bad, says in ((["--formula", "y ~ x +"], "formula must fit data"), ([], "--target must name")):
        code, _, err = emmd(*words, "--drop-missing", *bad)
        assert code == 2
        assert says in err
        assert err.strip().count("\n") <= 1


def test_groups_share_their_expert(emmd, tmp_path):
    rng = np.random.default_rng(0)
    who, x = np.repeat(np.arange(30), 3), rng.standard_normal(90)
    y = np.where(who % 2, 1.0 + x, -x) + 0.3 * rng.standard_normal(90)
    file = write(tmp_path / "t.csv", ["who", "x", "y"], [[f"s{w}", *row] for w, *row in zip(who, x, y)])
    words = ("fit", file, "--experts", "2", "--family", "gaussian", "--starts", "2", "--json", "-")
    constant = ("--gate", "constant", "--groups", "who")
    code, out, _ = emmd(*words, "--target", "y", *constant)
    fit = json.loads(out)
    assert code == 0
    assert fit["features"] == ["x"]
    same = package.MixtureOfExpertsRegressor(gate="constant", n_init=2, random_state=0)
    assert fit["loglik"] == pytest.approx(same.fit(x[:, None], y, groups=who).loglik_, rel=1e-12)
    code, _, error = emmd(*words, "--target", "y", "--groups", "y")
    assert (code, "--groups must be another column than --target" in error) == (2, True)
    code, _, error = emmd(*words, "--target", "y", "--groups", "whom")
    assert (code, "did you mean 'who'" in error) == (2, True)
