"""What a file may have become: bits flipped, bytes lost, put in or overwritten, the end cut off."""


def damages(whole, rng, places):
    """Yield damaged copies of a file's bytes.

    Parameters
    ----------
    whole : bytes
    rng : numpy.random.Generator
    places : int
        How many random places to damage, each in every way; the ends are damaged as well.
    """
    ends = (0, 1, len(whole) // 2, len(whole) - 1)
    for place in [*ends, *rng.integers(0, len(whole), places).tolist()]:
        before, byte, after = whole[:place], whole[place], whole[place + 1 :]
        yield before + bytes([byte ^ 1 << rng.integers(8)]) + after
        yield before + after
        yield before + rng.bytes(1) + whole[place:]
        yield before
    yield whole + whole
    yield bytes(len(whole))
