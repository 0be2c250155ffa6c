"""A built wheel, installed into an empty environment, runs the main job from any folder."""

import json
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_runs_emmd_verify_from_any_folder(tmp_path, python):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("emmd", "theory", "experiments"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("emmd-*.whl")
    venv.create(tmp_path / "env", with_pip=False)
    base = str(tmp_path / "env")
    places = sysconfig.get_paths("venv", vars={"base": base, "platbase": base})
    bin_folder, site = Path(places["scripts"]), Path(places["purelib"])
    subprocess.run([*pip, "--python", bin_folder / "python", "install", "--no-deps", wheel], check=True)
    # the dependencies are those of the tests; a path file adds the folder but not the editable install in it
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    words = ["verify", "--claim", "E1", "--claim", "C1", "--json", "-"]
    ran = subprocess.run(
        [bin_folder / "emmd", *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert {record["verdict"] for record in json.loads(ran.stdout)} == {"holds"}
    # type checkers of its users read its types
    assert (site / "emmd" / "py.typed").exists()
    # the user's own files of these names stand in nobody's way
    for name in ("theory", "experiments"):
        (tmp_path / f"{name}.py").write_text("MINE = True\n")
    where = (
        "import emmd, emmd.theory, emmd.experiments, theory, experiments;"
        "print(emmd.__file__, emmd.theory.__file__, emmd.experiments.__file__, theory.MINE, experiments.MINE)"
    )
    found = subprocess.run(
        [bin_folder / "python", "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout.count(str(site)) == 3
    assert found.stdout.split()[-2:] == ["True", "True"]
    assert {path.name for path in site.iterdir()} == {
        "emmd",
        f"{wheel.stem.split('-py3')[0]}.dist-info",
        "dependencies.pth",
    }
