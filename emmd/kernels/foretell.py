"""Where a path of EM leads next: the start of the inner iterations, which it shortens and does not change."""

from emmd.kernels._jit import deciding

_DEPENDENT = 1e-8
# Newton's method from where the path stands needs no second look at the data when it moves less than this:
# see `emmd.kernels.newton`, ten times the square of the move is then less than its target
_SHORT = 3e-8


@deciding
def foretell(unit, scale, working, last, before, earlier, out):
    """Write where a path with three displacements leads, in working units; return whether it is worth while.

    Near its limit a fixed-point map is linear. A path that two of its eigenvalues dominate satisfies
    ``last = a before + b earlier``, which is solved by least squares, and goes on with
    ``a last + b before``. A displacement longer than the last is not believed: the path goes on with at most
    the last one.

    Parameters
    ----------
    unit : ndarray of shape (p,)
        Working units per unit of theta.
    scale : ndarray of shape (d,)
        Root mean squares of the features; d divides p.
    working : ndarray of shape (p,)
        Where the path stands, in working units.
    last, before, earlier : ndarray of shape (p,)
        Displacements of theta; with `earlier` the same as `before`, b is 0.
    out : ndarray of shape (p,)

    Returns
    -------
    bool
        False, with `out` not written, where a path ends or moves so little that nothing is gained.
    """
    ll = lb = le = bb = be = ee = length = 0.0
    for j in range(working.shape[0]):
        weight = unit[j] * scale[j % scale.shape[0]]
        u, v, w = weight * last[j], weight * before[j], weight * earlier[j]
        ll += u * u
        lb += u * v
        le += u * w
        bb += v * v
        be += v * w
        ee += w * w
        length += abs(u)
    # by the negations NaN is where a path ends
    if not length > _SHORT or not bb > 0.0:
        return False
    rest = bb * ee - be * be
    a = b = 2.0
    if rest > _DEPENDENT * bb * ee:
        a, b = (lb * ee - le * be) / rest, (le * bb - lb * be) / rest
    if not a * a * ll + 2.0 * a * b * lb + b * b * bb <= ll:
        a, b = min(max(lb / bb, 0.0), 1.0), 0.0
    for j in range(working.shape[0]):
        out[j] = working[j] + unit[j] * (a * last[j] + b * before[j])
    return True
