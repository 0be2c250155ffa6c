"""Model files: every bit comes back, and what is not as it was written is refused in one sentence."""

import json

import numpy as np
import pytest

import emmd
from emmd.estimators import model_file
from tests.generators.damage import damages

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 2))
Y = X[:, 0] * np.where(RNG.random(80) < 0.5, 1, -1) + 0.3 * RNG.standard_normal(80)


def fits():
    options = {"n_init": 1, "random_state": 0, "tol": 1e-3, "prior_strength": 0.1}
    labels = np.array(["001", "1", "NA $[/x]\n"])[np.searchsorted([-0.3, 0.3], Y)]
    yield emmd.MixtureOfExpertsRegressor(expert_features=[0], **options).fit(X, Y), Y
    yield emmd.MixtureOfExpertsClassifier(**options).fit(X, labels), labels
    yield emmd.MixtureOfExpertsClassifier(3, gate="constant", **options).fit(X, Y > 0), Y > 0


@pytest.fixture(scope="module", params=range(3), ids=["regressor", "text labels", "two classes"])
def fit(request):
    return list(fits())[request.param]


def test_every_bit_comes_back(fit, tmp_path):
    fit, y = fit
    emmd.save_model(fit, tmp_path / "model.json")
    again = emmd.load_model(tmp_path / "model.json")
    np.testing.assert_array_equal(again.predict(X), fit.predict(X))
    np.testing.assert_array_equal(again.responsibilities(X, y), fit.responsibilities(X, y))
    assert again.get_params() == {**fit.get_params(), "random_state": None}
    public = {name for name in vars(fit) if name.endswith("_")}
    assert {name for name in vars(again) if name.endswith("_")} == public
    for name in public:
        assert type(getattr(again, name)) is type(getattr(fit, name)), name
        np.testing.assert_equal(getattr(again, name), getattr(fit, name))


def refusal(path):
    try:
        emmd.load_model(path)
    except ValueError as error:
        return str(error)
    return None


def test_damage_anywhere_is_refused_or_changes_nothing(fit, tmp_path):
    fit, _ = fit
    path = tmp_path / "model.json"
    emmd.save_model(fit, path)
    refused = 0
    for damaged in damages(path.read_bytes(), np.random.default_rng(1), 75):
        path.write_bytes(damaged)
        reason = refusal(path)
        if reason is None:
            # white space between entries
            np.testing.assert_array_equal(emmd.load_model(path).predict(X), fit.predict(X))
        else:
            assert str(path) in reason
            assert len(reason) < 500
            refused += 1
    assert refused > 200


def test_the_layout_of_a_file_is_free(fit, tmp_path):
    path = tmp_path / "model.json"
    emmd.save_model(fit[0], path)
    path.write_text(json.dumps(json.loads(path.read_text())))
    np.testing.assert_array_equal(emmd.load_model(path).predict(X), fit[0].predict(X))


FORGED = [
    (lambda d: d["theta"]["array"].pop(), "theta"),
    (lambda d: d["parameters"].update(n_experts=10**12), "n_experts"),
    (lambda d: d["parameters"].update(n_experts=10**400), "n_experts"),
    (lambda d: d["parameters"].update(callback="print"), "parameters must hold"),
    (lambda d: d["units"].update(n_features=10**12), "number of features"),
    (lambda d: d["units"]["kept"].update(array=[0, 2]), "units.kept"),
    (lambda d: d["units"]["scale"].update(array=[1.0, 0.0]), "units.scale"),
    (lambda d: d["units"]["scale"].update(array=[1.0]), "units.scale"),
    (lambda d: d["units"].update(y_centre="0"), "units.y_centre"),
    (lambda d: d["fitted"].update(predict=None), "fitted must hold"),
    (lambda d: d["fitted"].pop("loglik_"), "fitted must hold"),
    (lambda d: d["fitted"].update(loglik_="much"), "loglik_ is of type str"),
    (lambda d: d["fitted"].update(status_="__class__"), "__class__"),
    (lambda d: d["theta"].update(dtype="V1000000000"), "V1000000000"),
    (lambda d: d["theta"].update(dtype="O"), "'O'"),
    (lambda d: d["theta"].update(array=[10**400]), "too large"),
    (lambda d: d["fitted"].update(feature_names_in_={"array": [1], "dtype": "str"}), "text"),
    (lambda d: d.update(more=1), "the file must hold"),
    (lambda d: d.update(kind="os"), "os"),
]


@pytest.mark.parametrize(("change", "says"), FORGED, ids=[f"{k} {s}" for k, (_, s) in enumerate(FORGED)])
def test_a_forged_file_is_refused(change, says, tmp_path):
    path = tmp_path / "model.json"
    emmd.save_model(next(fits())[0], path)
    document = json.loads(path.read_text())
    del document["checksum"]
    change(document)
    path.write_text(json.dumps({**document, "checksum": model_file._checksum(document)}))
    with pytest.raises(ValueError, match="path must be an undamaged") as refusal:
        emmd.load_model(path)
    assert says in str(refusal.value)
    assert len(str(refusal.value)) < 500


def test_a_text_that_would_fill_memory_is_refused(tmp_path):
    path = tmp_path / "model.json"
    emmd.save_model(next(fits())[0], path)
    document = json.loads(path.read_text())
    del document["checksum"]
    document["fitted"]["feature_names_in_"] = {"array": ["x" * 100_000] + ["y"] * 10_000, "dtype": "str"}
    path.write_text(json.dumps({**document, "checksum": model_file._checksum(document)}))
    with pytest.raises(ValueError, match="too long"):
        emmd.load_model(path)


OTHER = [
    (b"{}", "version 5', and says None"),
    (b'{"format": "emmd mixture of experts, version 2"}', "and says 'emmd mixture of experts, version 2'"),
    (b"[" * 200_000, "recursion"),
    (b'{"format": ' * 200_000, "recursion"),
    (b"9" * 10_000, "4300 digits"),
    (b"\xff\xfe{\x00}\x00", "utf-8"),
    (b"", "Expecting value"),
    (b"NaN", "says None"),
]


@pytest.mark.parametrize(("content", "says"), OTHER, ids=[says for _, says in OTHER])
def test_what_is_no_model_file_is_refused(content, says, tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="path must be an undamaged") as refusal:
        emmd.load_model(path)
    assert says in str(refusal.value)
    assert len(str(refusal.value)) < 500


def test_what_cannot_be_read_or_written_is_refused(tmp_path, monkeypatch):
    estimator, _ = next(fits())
    for path in (tmp_path / "nowhere.json", tmp_path, "/dev/zero", "a\0b"):
        with pytest.raises(ValueError, match=r"path must be an undamaged|null character"):
            emmd.load_model(path)
    with pytest.raises(TypeError, match="fitted emmd estimator"):
        emmd.save_model(emmd.MixtureOfExpertsRegressor(), tmp_path / "model.json")
    with pytest.raises(ValueError, match="path must be a file that can be written"):
        emmd.save_model(estimator, tmp_path)
    emmd.save_model(estimator, tmp_path / "model.json")
    with pytest.raises(ValueError, match="numbers and text"):
        emmd.save_model(estimator.set_params(tol=1j), tmp_path / "other.json")
    monkeypatch.setattr(model_file, "_LARGEST", 100)
    with pytest.raises(ValueError, match="larger than 100 bytes"):
        emmd.load_model(tmp_path / "model.json")
    with pytest.raises(ValueError, match="must fit into 100 bytes"):
        emmd.save_model(estimator.set_params(tol=0.1), tmp_path / "model.json")
