"""`emmd certify`, `emmd verify --certify` and `emmd population --prove` from the command line."""

import json

import pytest

DESIGN = ["--model", "symmoline", "--n", 200, "--d", 2, "--snr-expert", 2, "--snr-gate", 1, "--cosine", 0.3]


def test_a_certificate_is_made_saved_and_checked(tmp_path, emmd):
    file = tmp_path / "certificate.json"
    code, out, err = emmd("certify", *DESIGN, "--save", file, "--json", "-")
    assert code == 0, err
    found = json.loads(out)
    assert found["certified"]
    assert found["rate"][1] - found["rate"][0] < 1e-11
    code, out, err = emmd("certify", *DESIGN, "--check", file)
    assert code == 0
    assert "Theorem" in out
    code, out, err = emmd("certify", *DESIGN, "--seed", 1, "--check", file)
    assert code == 1
    assert "refused" in out


def test_without_a_certificate_the_reason_is_printed(emmd):
    code, out, _err = emmd("certify", *DESIGN, "--max-steps", 1, "--share", "1e-6")
    assert code == 0
    assert "Not certified" in out
    assert "fails" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "--data FILE.csv --target COL must be given"),
        (["--data", "x.csv"], "--data and --target must be given together"),
        (["--model", "symmoline"], "--n must be given with --model"),
        (["--data", "x.csv", "--target", "y", "--n", 3], "--n must not be given with --data"),
    ],
)
def test_bad_input_is_one_sentence(words, says, emmd):
    code, _out, err = emmd("certify", *words)
    assert code == 2
    assert says in err
    assert err.count("\n") == 1


POINT = ["--model", "symmoline", "--snr-expert", 2, "--snr-gate", 0, "--cosine", 1, "--d", 3]


def test_a_bound_is_proved_or_refuted(emmd):
    box = ["--prove", "--expert-range", 1, 4, "--gate-range", 0, 0, "--json", "-"]
    code, out, err = emmd("population", *POINT, *box, "--bound", "1/sqrt(1+snr_e**2)")
    assert code == 0, err
    assert json.loads(out)["proof"]["proved"]
    code, out, err = emmd("population", *POINT, *box, "--bound", "0.7/snr_e")
    assert code == 1
    assert json.loads(out)["proof"]["refuted"]["snr_gate"] == 0.0


def test_a_shipped_bound_goes_by_its_label(emmd):
    code, out, err = emmd("population", *POINT, "--prove", "--bound", "S2-steeper")
    assert code == 1, err
    assert "refuted in ball arithmetic: snr_expert = 1.0" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--prove"], "--prove must come with --bound"),
        (["--bound", "1", "--gate-range", 1, 2], "must come with --prove"),
        (["--prove", "--bound", "1", "--gate-range", 2, 1], "snr_gate must be a range from low to high"),
        (["--prove", "--bound", "erf(snr_e)"], "got 'erf'"),
    ],
)
def test_bad_proofs_are_one_sentence(words, says, emmd):
    code, _out, err = emmd("population", *POINT, *words)
    assert code == 2
    assert says in err
    assert err.count("\n") == 1
