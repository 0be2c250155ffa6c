"""Every statement is proved symbolically; every false variant is refuted with certainty."""

import subprocess
import sys

import pytest
import sympy as sp

from emmd.theory.symbolic import labels, prove, refute, sabotages
from emmd.theory.symbolic.derived import (
    at,
    log_odds,
    log_partition,
    loss,
    missing_information,
    point,
    posterior,
    posterior_statistics,
    statistics,
)
from emmd.theory.symbolic.expectation import total_mass
from emmd.theory.symbolic.normal_form import normal_form
from emmd.theory.symbolic.proof import Proof
from emmd.theory.symbolic.scalar_models import STATES, scalar_model

MODELS = ["symmoline", "symmologe"]
FALSE_VARIANTS = [(label, name) for label in labels() for name in sabotages(label)]


@pytest.fixture(params=MODELS)
def model(request):
    return scalar_model(request.param)


def test_every_statement_is_found():
    assert {"E0", "E1", "E4", "E5", "R1", "C1", "L4"} <= set(labels())


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("label", labels())
def test_statement_is_proved(label, name):
    proof = prove(label, name)
    assert proof.proved
    assert proof.residual == sp.zeros(*proof.residual.shape)
    assert len(proof.residual) > 0
    assert (proof.label, proof.model) == (label, name)
    assert proof.statement
    assert refute(proof) is None


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("label", "sabotage"), FALSE_VARIANTS)
def test_false_variant_is_refuted(label, sabotage, name):
    proof = prove(label, name, **sabotages(label)[sabotage])
    assert not proof.proved
    refutation = refute(proof)
    assert refutation is not None
    assert abs(refutation.value) > sp.Rational(1, 10**10)


def test_every_statement_has_a_false_variant():
    assert all(sabotages(label) for label in labels())


def test_decimal_variants_are_exact():
    exact = prove("E4", "symmologe", step=sp.Rational(11, 10)).residual
    assert prove("E4", "symmologe", step=1.1).residual == exact
    assert prove("E4", "symmologe", step=1.0).proved


def test_user_errors():
    with pytest.raises(ValueError, match="unknown label 'E99'"):
        prove("E99", "symmoline")
    with pytest.raises(ValueError, match="unknown scalar model 'moe'"):
        prove("E1", "moe")
    with pytest.raises(TypeError, match="no_such_variant"):
        prove("E1", "symmoline", no_such_variant=2)


def test_mirror_maps_and_log_odds_are_the_known_ones():
    linear, logistic = (scalar_model(name) for name in MODELS)
    a, b, y = linear.a, linear.b, linear.y
    assert normal_form(log_partition(linear) - a**2 / 2 - sp.log(1 + sp.exp(b))) == 0
    assert normal_form(log_partition(logistic) - sp.log(1 + sp.exp(a)) - sp.log(1 + sp.exp(b))) == 0
    assert sp.expand(log_odds(linear) - b - 2 * a * y) == 0
    assert sp.expand(log_odds(logistic) - b - a * y) == 0
    assert sp.expand(log_odds(linear, sp.S.Half) - b - a * y) == 0


def test_linear_loss_has_the_known_form():
    model = scalar_model("symmoline")
    a, b, y = model.a, model.b, model.y
    gate, other = 1 / (1 + sp.exp(-b)), 1 / (1 + sp.exp(b))
    mixture = sp.log(gate * sp.exp(a * y) + other * sp.exp(-a * y))
    assert normal_form(loss(model) - y**2 / 2 - a**2 / 2 - sp.log(2 * sp.pi) / 2 + mixture) == 0


def test_statistics_are_the_known_ones():
    linear, logistic = (scalar_model(name) for name in MODELS)
    y = linear.y
    for z in STATES:
        gate = sp.Rational(1 + z, 2)
        assert statistics(linear, z) == sp.Matrix([z * y, gate])
        assert (statistics(logistic, z) - sp.Matrix([(1 + y * z) / 2, gate])).expand() == sp.zeros(2, 1)


def test_missing_information_is_the_covariance_by_definition(model):
    mean = posterior_statistics(model)
    centred = {z: statistics(model, z) - mean for z in STATES}
    covariance = sum((posterior(model, z) * centred[z] * centred[z].T for z in STATES), sp.zeros(2, 2))
    assert (covariance - missing_information(model)).applyfunc(normal_form) == sp.zeros(2, 2)


def test_loss_symmetries():
    linear, logistic = (scalar_model(name) for name in MODELS)
    for model in (linear, logistic):
        assert normal_form(at(model, loss(model), (-model.a, -model.b)) - loss(model)) == 0
    for y in logistic.cases:
        swapped = at(logistic, loss(logistic), (logistic.b, logistic.a)) - loss(logistic)
        assert normal_form(swapped.xreplace({logistic.y: y})) == 0


def test_gaussian_integral_agrees_with_direct_integration():
    model = scalar_model("symmoline")
    joint = sp.exp(model.joint(1)).subs({model.a: sp.Rational(1, 3), model.b: 0})
    assert sp.simplify(sp.integrate(joint, (model.y, -sp.oo, sp.oo)) - sp.S.Half) == 0
    assert normal_form(total_mass(model)) == 1


def test_normal_form_keeps_the_value():
    a, b = point("s")
    root = sp.log(sp.exp(b / 3) + sp.exp(2 * a * b)) / (1 + sp.exp(-a)) - a**2 * sp.exp(-(a**2) / 2)
    where = {a: sp.Rational(3, 7), b: sp.Rational(-5, 4)}
    assert abs((normal_form(root) - root).subs(where).evalf(30)) < 1e-28


def test_normal_form_does_not_prove_false_identities():
    a, b = point("s")
    assert normal_form(sp.log(1 + sp.exp(a)) - sp.log(1 + sp.exp(-a)) - a) == 0
    assert normal_form(sp.log(1 + sp.exp(a)) - sp.log(1 + sp.exp(-a)) + a) != 0
    assert normal_form(sp.exp(a + b) - sp.exp(a) - sp.exp(b)) != 0
    assert normal_form(sp.log(sp.exp(a) + sp.exp(b)) - a - b) != 0


def test_importing_theory_does_not_import_sympy():
    code = "import theory, sys; sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_empty_residual_proves_nothing():
    assert not Proof("X", "symmoline", "nothing", (), sp.ImmutableMatrix(0, 1, [])).proved
