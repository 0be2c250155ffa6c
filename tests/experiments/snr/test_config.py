"""What an experiment file may not say, and what its plan promises."""

import pytest

from emmd.core.discover import discover
from emmd.experiments.snr.config.read import parse, read_text, shipped
from emmd.experiments.snr.plan.measure import Measure
from emmd.experiments.snr.plan.plan import make_plan
from emmd.experiments.snr.plan.seeds import seed_of
from emmd.experiments.snr.plan.source import Source

BAD = [
    ('name = "small"', "", "name is missing"),
    ('name = "small"', 'name = "Small one"', "name: string should match pattern"),
    ("repetitions = 2", "repetition = 2", "repetition is not a known key, got 2 (int); did you mean 'repe"),
    ("repetitions = 2", "repetitions = 0", "repetitions: input should be greater than or equal to 1, got 0"),
    ("repetitions = 2", 'repetitions = "2"', "repetitions: input should be a valid integer, got '2' (str)"),
    ("repetitions = 2", "repetitions = 2.5", "repetitions: input should be a valid integer, got 2.5"),
    ("repetitions = 2", "repetitions = true", "repetitions: input should be a valid integer, got True"),
    ("n = 300", "n = []", "problems[0].n: list should have at least 1 item"),
    ("n = 300", "n = [300, -5]", "problems[0].n[1]: input should be greater than or equal to 1, got -5"),
    ("n = 300", "", "problems[0].n is missing"),
    ("n = 300", "n = 300\nsnr_gait = 2", "problems[0].snr_gait is not a known key"),
    (
        "n = 300",
        'n = 300\nsource = "snn"',
        "problems[0]: source must be one of datasets, file, gates, images, snr, got 'snn'",
    ),
    ("[3.0, 4.0]", "[3.0, 3.0]", "problems[0].snr_expert: must not hold 3.0 twice"),
    ("[3.0, 4.0]", "[3.0, nan]", "problems[0].snr_expert[1]"),
    ("[3.0, 4.0]", "inf", "problems[0].snr_expert[0]"),
    (
        "cosine = 0.3",
        "cosine = 1.5",
        "problems[0].cosine[0]: input should be less than or equal to 1, got 1.5",
    ),
    ("d = 2", "d = 1", "problems[0]: cosine must be -1 or 1 when there is one feature, got 0.3"),
    ('["symmoline", "symmologe"]', '"symmolin"', "did you mean 'symmoline'"),
    ('kind = "distance"', 'kind = "far"', "starts[0]: input tag 'far'"),
    ("step_size = 1.1", 'step_size = "safe"', "step_size must be one of best for source 'snr', got 'safe'"),
    ('method = "em"', 'method = "em"\nmax_iter = 0', "algorithms[0].max_iter: input should be greater than"),
    (
        '["predicted_rate", "contraction"]',
        '["upright"]',
        "measures must be one of contraction, observed_rate, population_rate, predicted_rate, snr_bound for",
    ),
    (
        "distance = [0.2, 0.5]",
        "distance = -1",
        "starts[0].distance[0]: input should be greater than 0, got -1",
    ),
    ("count = 3", "counts = 3", "starts[0].counts is not a known key, got 3 (int); did you mean 'count'"),
    ('method = "em"', 'method = "emm"', "algorithms[0]: method must be one of"),
    ('method = "em"', 'method = "em"\nstep_size = 2.0', "step_size is not an option of method 'em'"),
    ("step_size = 1.1", "step_size = -1", "algorithms[1]: step_size must be positive"),
    ("step_size = 1.1", 'step_size = "worst"', "algorithms[1]: step_size must be a positive number"),
    ("tol = 1e-7", "tol = 0", "stopping.tol: input should be greater than 0, got 0"),
    ("max_iter = 120", "max_iter = 3e2", "stopping.max_iter: input should be a valid integer, got 300.0"),
    ("points = 60", "points = 1", "record.points: input should be greater than or equal to 2, got 1"),
    ('["predicted_rate", "contraction"]', '["predicted"]', "measures: measures must be one of"),
    ('["predicted_rate", "contraction"]', '["contraction"]\nfigures = ["pie"]', "figures: figures must be"),
    ("repetitions = 2", "repetitions = ", "small.toml must be TOML: Invalid value (at line 4"),
]


@pytest.mark.parametrize(("old", "new", "says"), BAD, ids=[f"{new}|{says[:20]}" for _, new, says in BAD])
def test_a_wrong_config_is_refused_with_key_and_value(config, old, new, says):
    assert old in config
    with pytest.raises(ValueError, match=r"^small\.toml") as refusal:
        make_plan(parse(config.replace(old, new, 1), "small.toml"))
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_twin_blocks_are_refused(config):
    twice = config + '\n[[algorithms]]\nmethod = "em"\n'
    with pytest.raises(ValueError, match="each run once"):
        make_plan(parse(twice))


def test_a_missing_file_names_the_shipped_ones():
    with pytest.raises(ValueError, match=r"one of .*basin.*got nowhere\.toml"):
        read_text("nowhere.toml")


def test_the_plan_is_the_product_of_its_grids(config):
    plan = make_plan(parse(config))
    assert plan.n_cells == 2 * 2
    assert plan.n_samples == 4 * 2
    assert len(plan.runs) == 8 * (2 * 3) * 3
    assert len({run.key for run in plan.runs}) == len(plan.runs)


def test_a_new_grid_value_changes_no_other_run(config):
    before = make_plan(parse(config)).runs
    wider = config.replace("[3.0, 4.0]", "[2.0, 3.0, 3.5, 4.0]").replace("[0.2, 0.5]", "[0.1, 0.2, 0.5]")
    after = {run.key: run for run in make_plan(parse(wider.replace("count = 3", "count = 5"))).runs}
    for run in before:
        assert run.key in after
        assert run.id("v") == after[run.key].id("v")
        seeds = (seed_of(*each.data.names) for each in (run, after[run.key]))
        assert len({tuple(seed.generate_state(8).tolist()) for seed in seeds}) == 1


def test_ids_depend_on_config_data_and_code(config):
    run = make_plan(parse(config)).runs[0]
    other = make_plan(parse(config.replace("tol = 1e-7", "tol = 1e-8"))).runs[0]
    renamed = make_plan(parse(config.replace('"small"', '"tiny"'))).runs[0]
    ids = {run.id("1"), run.id("2"), other.id("1"), renamed.id("1")}
    assert len(ids) == 4
    assert run.data.key == other.data.key  # the stopping rule does not change the data
    assert run.data.key != renamed.data.key


def test_integers_and_floats_of_equal_value_name_the_same_run(config):
    one = make_plan(parse(config)).runs[0]
    two = make_plan(
        parse(config.replace("[3.0, 4.0]", "[3, 4]").replace("snr_gate = 1.0", "snr_gate = 1"))
    ).runs[0]
    assert one.key == two.key


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_experiments_are_valid(name):
    plan = make_plan(parse(read_text(name), name))
    assert plan.experiment.name == name
    assert plan.experiment.figures
    assert plan.experiment.title


def test_every_experiment_has_a_quick_edition():
    full = {name for name in shipped() if not name.endswith("-quick")}
    assert full >= {"algorithms", "rate-against-snr", "basin", "sample-size"}
    assert {f"{name}-quick" for name in full} <= set(shipped())


def test_no_plugin_is_broken():
    assert discover("emmd.experiments.snr.measures", Measure).broken == {}
    assert discover("emmd.experiments.snr.sources", Source, classes=True).broken == {}
