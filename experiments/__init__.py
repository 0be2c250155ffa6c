"""experiments: the command line, sweeps over signal-to-noise ratios, figures and reports."""

from emmd.alias import alias

if __name__ != "emmd.experiments":
    # run from the repository's root, `import experiments` finds this file a second time
    alias(__name__, "emmd.experiments")
