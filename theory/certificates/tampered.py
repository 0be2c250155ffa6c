"""Certificates that were tampered with: what a check in balls must refuse."""

from dataclasses import replace

from emmd.core.problem import Problem
from emmd.theory.certificates.certificate import digest_of
from emmd.theory.certificates.certify import certify


def enlarged(certificate, factor):
    """Return a certificate that claims its basin, radius and level, so many times as large."""
    radius, level = factor * certificate.basin_radius, factor * certificate.basin_level
    return replace(certificate, basin_radius=radius, basin_level=level)


def hastened(certificate, share):
    """Return a certificate whose rho lies lower, by a share of its distance to lambda_max."""
    rho = certificate.basin_rate
    return replace(certificate, basin_rate=rho - share * (rho - certificate.rate[1]))


def foreign(lab):
    """Return a certificate of other data that passes itself off as one of these: every second row was seen.

    Where that half has no certificate, the optimum of the half is put in the place of the true one.
    """
    return lab.once("foreign certificate", lambda: _foreign(lab.problem, lab.certificate))


def _foreign(problem, certificate):
    half = slice(None, None, 2)
    other = Problem(problem.model, problem.X[half], problem.y[half], problem.weights[half])
    found = certify(other, certificate.start)
    kept = {"problem": problem, "digest": digest_of(problem)}
    if found.certified:
        return replace(found, **kept)
    return replace(certificate, optimum=certificate.optimum + 2.0 * certificate.radius, **kept)


def shortened(certificate):
    """Return a certificate that claims to reach the basin a step earlier."""
    return replace(certificate, steps=max(certificate.steps - 1, 0))


def refused(lab, certificate):
    """Return 0.0 where a certificate is proved again and 1.0 where its check refuses it, and the reason."""
    key = ("refused", certificate.basin_rate, certificate.basin_level, certificate.optimum.tobytes())
    objection = lab.once((*key, certificate.steps), lambda: certificate.objection(lab.problem))
    return float(bool(objection)), objection
