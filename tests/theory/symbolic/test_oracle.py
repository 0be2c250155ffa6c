"""The oracles against plain mpmath formulas written here, from the definition of the models."""

import mpmath as mp
import numpy as np
import pytest

from emmd.theory.symbolic import oracle

NAMES = ["symmoline", "symmologe"]
POINTS = [(0.3, -0.7), (-1.4, 2.1), (2.5, 0.0), (0.0, 0.4), (-3.0, -6.0), (1.2, 30.0), (0.8, -30.0)]
RESPONSES = {"symmoline": [0.0, -1.3, 4.0], "symmologe": [1.0, -1.0]}
U, V = np.array([0.7, -0.4]), np.array([-0.9, 1.6])


def sigmoid(t):
    return 1 / (1 + mp.exp(-t))


def density(name, a, b, y, z):
    """p(y, z | x) as the models are defined."""
    if name == "symmoline":
        return sigmoid(z * b) * mp.exp(-((y - z * a) ** 2) / 2) / mp.sqrt(2 * mp.pi)
    return sigmoid(z * b) * sigmoid(y * z * a)


def plain_loss(name, a, b, y):
    return -mp.log(density(name, a, b, y, 1) + density(name, a, b, y, -1))


def plain_posterior(name, a, b, y, z):
    return density(name, a, b, y, z) / mp.exp(-plain_loss(name, a, b, y))


def plain_statistics(name, y, z):
    return [z * y if name == "symmoline" else (1 + y * z) / 2, (1 + z) / 2]


def plain_log_partition(name, a, b):
    expert = a**2 / 2 if name == "symmoline" else mp.log(1 + mp.exp(a))
    return expert + mp.log(1 + mp.exp(b))


def plain_gradient(f, a, b):
    return [mp.diff(f, (a, b), order) for order in ((1, 0), (0, 1))]


def plain_hessian(f, a, b):
    aa, ab, bb = (mp.diff(f, (a, b), order) for order in ((2, 0), (1, 1), (0, 2)))
    return [[aa, ab], [ab, bb]]


def floats(values):
    return np.vectorize(float)(np.array(values, dtype=object))


def close(actual, expected, scale=1.0):
    """Agreement to rounding: 50 units of it, relative to the largest term `scale` in the formula."""
    np.testing.assert_allclose(actual, floats(expected), rtol=1e-13, atol=1e-14 * scale)


@pytest.fixture(autouse=True)
def forty_digits():
    with mp.workdps(40):
        yield


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def cases(name):
    return [(a, b, y) for a, b in POINTS for y in RESPONSES[name]]


def test_loss_gradient_and_hessian(name, cases):
    exact = oracle(name)
    for a, b, y in cases:
        scale = 1 + a**2 + y**2

        def loss(s, t, y=y):
            return plain_loss(name, s, t, y)

        close(exact.loss(a, b, y), loss(a, b), scale)
        close(exact.gradient(a, b, y), plain_gradient(loss, a, b), scale)
        close(exact.hessian(a, b, y), plain_hessian(loss, a, b), scale)


def test_posterior_quantities(name, cases):
    exact = oracle(name)
    for a, b, y in cases:
        p = {z: plain_posterior(name, a, b, y, z) for z in (1, -1)}
        s = {z: mp.matrix(plain_statistics(name, y, z)) for z in (1, -1)}
        mean = p[1] * s[1] + p[-1] * s[-1]
        covariance = sum((p[z] * (s[z] - mean) * (s[z] - mean).T for z in (1, -1)), mp.zeros(2))
        close(exact.posterior(a, b, y), p[1])
        close(exact.posterior_statistics(a, b, y), list(mean), 1 + y**2)
        close(exact.missing_information(a, b, y).ravel(), list(covariance), 1 + y**2)


def test_missing_information_keeps_its_digits_when_the_posterior_is_certain():
    exact = oracle("symmoline").missing_information(5.0, 30.0, 6.0)[1, 1]
    p, q = (plain_posterior("symmoline", 5.0, 30.0, 6.0, z) for z in (1, -1))
    assert exact == pytest.approx(float(p * q), rel=1e-13, abs=0)


def test_mirror_map(name):
    exact = oracle(name)
    for a, b in POINTS:

        def mirror(s, t):
            return plain_log_partition(name, s, t)

        close(exact.log_partition(a, b), mirror(a, b))
        close(exact.log_partition_gradient(a, b), plain_gradient(mirror, a, b))
        close(exact.complete_hessian(a, b), plain_hessian(mirror, a, b))


def joint_kl(name, v, u):
    """KL( p_v(y, z | x) || p_u(y, z | x) ) by sum or quadrature."""

    def integrand(y):
        pairs = [(density(name, *v, y, z), density(name, *u, y, z)) for z in (1, -1)]
        return sum(p * mp.log(p / q) for p, q in pairs)

    if name == "symmologe":
        return integrand(1) + integrand(-1)
    with mp.workdps(20):
        return mp.quad(integrand, [-12, -4, 0, 4, 12])


def test_divergence_is_the_joint_kl_with_exchanged_arguments(name):
    exact = oracle(name)
    assert exact.divergence(U, V) == pytest.approx(float(joint_kl(name, V, U)), rel=1e-13)
    assert abs(exact.divergence(U, V) - float(joint_kl(name, U, V))) > 1e-3


def test_posterior_kl_follows_the_order_of_its_arguments(name):
    exact = oracle(name)
    for y in RESPONSES[name]:
        p, q = ([plain_posterior(name, *eta, y, z) for z in (1, -1)] for eta in (V, U))
        expected = sum(s * mp.log(s / t) for s, t in zip(p, q))
        assert exact.posterior_kl(V, U, y) == pytest.approx(float(expected), rel=1e-12)
        assert exact.posterior_kl(U, V, y) != pytest.approx(float(expected), rel=1e-3)


def test_exact_two_point_identity(name):
    exact = oracle(name)
    for y in RESPONSES[name]:
        linear = exact.loss(*V, y) + exact.gradient(*V, y) @ (U - V)
        rebuilt = linear + exact.divergence(U, V) - exact.posterior_kl(V, U, y)
        assert exact.loss(*U, y) == pytest.approx(rebuilt, abs=1e-14 * (1 + y**2))


def test_complex_step_agrees_with_gradient(name, cases):
    exact = oracle(name)
    a, b, y = np.array(cases).T
    np.testing.assert_allclose(
        exact.complex_step_gradient(a, b, y), exact.gradient(a, b, y), rtol=1e-12, atol=1e-14 * 20
    )


def test_complex_step_of_the_gradient_is_the_hessian(name, cases):
    exact = oracle(name)
    a, b, y = np.array(cases).T
    columns = [exact.gradient(a + 1e-20j, b, y).imag / 1e-20, exact.gradient(a, b + 1e-20j, y).imag / 1e-20]
    np.testing.assert_allclose(
        np.stack(columns, axis=-1), exact.hessian(a, b, y), rtol=1e-12, atol=1e-14 * 20
    )


def test_shapes_broadcast(name):
    exact = oracle(name)
    a, b, y = np.zeros((3, 1)), np.linspace(-1, 1, 4), 1
    assert exact.loss(a, b, y).shape == exact.posterior(a, b, y).shape == (3, 4)
    assert exact.gradient(a, b, y).shape == exact.posterior_statistics(a, b, y).shape == (3, 4, 2)
    assert exact.hessian(a, b, y).shape == exact.missing_information(a, b, y).shape == (3, 4, 2, 2)
    assert exact.log_partition(a, b).shape == (3, 4)
    assert exact.log_partition_gradient(a, b).shape == (3, 4, 2)
    assert exact.complete_hessian(a, b).shape == (3, 4, 2, 2)
    assert exact.divergence(np.zeros((5, 2)), V).shape == (5,)
    assert exact.posterior_kl(np.zeros((5, 2)), V, y).shape == (5,)


def test_integers_are_taken_as_real_numbers(name):
    exact = oracle(name)
    np.testing.assert_array_equal(exact.hessian(2, -1, 1), exact.hessian(2.0, -1.0, 1.0))


def test_user_errors():
    with pytest.raises(ValueError, match="unknown scalar model"):
        oracle("moe")
    with pytest.raises(ValueError, match="y must be one of"):
        oracle("symmologe").loss(0.0, 0.0, 0.5)
    with pytest.raises(ValueError, match="u must hold pairs"):
        oracle("symmoline").divergence([1.0, 2.0, 3.0], V)
    with pytest.raises(ValueError, match="real a and b"):
        oracle("symmoline").complex_step_gradient(1j, 0.0, 0.0)


def test_one_oracle_per_model():
    assert oracle("symmoline") is oracle("symmoline")
