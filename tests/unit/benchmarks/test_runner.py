"""The benchmark runner on real commands: small Python scripts that print JSON."""

import fcntl
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


class Benchmarks:
    """A conditions file of its own, with the scripts and folders beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conditions = folder / "conditions.toml"
        self.conditions.write_text("")
        self.shared = folder / "shared"
        self.results = folder / "results"

    def add(self, script: str, *arguments: str, row: str = "quality/figure", **fields: object) -> None:
        """Adds a row that runs ``script``; its figure must be 0.72 ± 0.01 where ``fields`` say nothing else."""
        group, name = row.split("/")
        file = self.folder / f"{name}.py"
        file.write_text(script)
        table = {"group": group, "name": name, "command": ["{python}", str(file), *arguments]}
        table |= {"metric": "metrics.nDCG@10", "expected": 0.72, "tolerance": 0.01} if "checks" not in fields else {}
        with self.conditions.open("a") as lines:
            lines.write("[[row]]\n")
            lines.writelines(f"{key} = {value_as_toml(value)}\n" for key, value in (table | fields).items())

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        places = ["--conditions", self.conditions]
        if arguments[0] == "run":
            places += ["--shared", self.shared, "--results", self.results]
        return run(*arguments, *map(str, places))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)


def value_as_toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(value_as_toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {value_as_toml(member)}' for key, member in value.items())} }}"
    return json.dumps(value)


def printing(value: object) -> str:
    text = json.dumps({"metrics": {"nDCG@10": value}})
    return f"print({text!r})"


@pytest.fixture
def benchmarks(tmp_path: Path) -> Benchmarks:
    return Benchmarks(tmp_path)


@pytest.mark.parametrize(
    ("value", "verdict", "status"),
    [(0.715, "OK", 0), (0.725, "OK", 0), (0.75, "BETTER", 0), (0.7, "FELL SHORT", 1)],
)
def test_a_figure_is_judged_against_what_is_expected_within_the_tolerance(benchmarks, value, verdict, status):
    benchmarks.add(printing(value))
    done = benchmarks.run("run", "quality/figure")
    expected = f"{verdict}: quality/figure: metrics.nDCG@10 {value} (expected 0.72 ± 0.01, higher is better)"
    assert (done.stdout.strip(), done.returncode) == (expected, status)


@pytest.mark.parametrize(("value", "verdict"), [(0.70, "BETTER"), (0.75, "FELL SHORT")])
def test_where_lower_is_better_the_verdicts_turn(benchmarks, value, verdict):
    benchmarks.add(printing(value), direction="lower")
    assert benchmarks.run("run", "quality").stdout.startswith(f"{verdict}: ")


def test_one_check_of_several_that_falls_short_fails_the_run_and_each_is_said(benchmarks):
    late = {"metric": "seconds.1", "expected": 5.0, "direction": "lower"}
    intact = {"metric": "intact", "expected": 1.0}
    benchmarks.add("""print('{"seconds": [3, 9], "intact": true}')""", checks=[late, intact])
    done = benchmarks.run("run", "quality")
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["FELL SHORT", "OK"]
    assert done.returncode == 1


def test_a_row_without_its_data_is_skipped_and_says_what_is_absent(benchmarks):
    benchmarks.add(printing(0.72), needs_shared=True)
    done = benchmarks.run("run", "quality")
    assert done.stdout.strip() == f"SKIPPED: quality/figure: no data at {benchmarks.shared}"
    assert done.returncode == 0


def test_a_shared_path_in_the_command_that_is_not_there_skips_the_row(benchmarks):
    benchmarks.shared.mkdir()
    benchmarks.add(printing(0.72), "{shared}/gold/none")
    assert f"SKIPPED: quality/figure: no data at {benchmarks.shared}/gold/none" in benchmarks.run("run").stdout


def test_a_command_that_fails_is_reported_with_the_last_line_of_its_stderr(benchmarks):
    benchmarks.add('import sys; print("first", file=sys.stderr); sys.exit("no index here")')
    done = benchmarks.run("run", "quality")
    assert done.stdout.strip() == "FAILED: quality/figure: exit status 1: no index here"
    assert done.returncode == 1


def test_a_row_that_fails_does_not_keep_the_next_from_running(benchmarks):
    benchmarks.add("raise SystemExit(3)", row="quality/first")
    benchmarks.add(printing(0.72), row="quality/second")
    done = benchmarks.run("run", "quality")
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["FAILED", "OK"]
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("print('words')", "printed no JSON object on stdout"),
        ("print('{}')", "printed no metrics.nDCG@10"),
        (printing(None), "metrics.nDCG@10 is no number: None"),
        (printing(float("nan")), "metrics.nDCG@10 is no number: nan"),
    ],
)
def test_output_without_the_figure_fails_and_says_what_is_missing(benchmarks, script, reason):
    benchmarks.add(script)
    done = benchmarks.run("run", "quality")
    assert (done.stdout.strip(), done.returncode) == (f"FAILED: quality/figure: {reason}", 1)


def test_a_command_over_its_time_is_ended_with_its_children(benchmarks, tmp_path):
    held = tmp_path / "held"
    benchmarks.add(
        "import fcntl, subprocess, sys\n"
        f"lock = open({str(held)!r}, 'w')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(300)']\n"
        "subprocess.run(sleep, pass_fds=[lock.fileno()])\n",
        timeout=1.5,
    )
    done = benchmarks.run("run", "quality")
    assert (done.stdout.strip(), done.returncode) == ("FAILED: quality/figure: ran over its 1.5 seconds", 1)
    with held.open() as lock:  # free only once the command and its child are gone
        for _ in range(100):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.1)
        else:
            pytest.fail("the command's child lives on")


def test_a_program_that_is_not_there_fails_its_row(benchmarks):
    benchmarks.add("", command=["no-such-program"])
    assert "FAILED: quality/figure: no-such-program cannot be started" in benchmarks.run("run").stdout


def test_the_last_object_counts_whether_on_one_line_or_several(benchmarks):
    output = '{"metrics": {}}\n{broken\n{"metrics": {\n  "nDCG@10": 0.72\n}}\n'
    benchmarks.add(f"print({output!r})")
    assert benchmarks.run("run").stdout.startswith("OK: ")


def test_commands_run_in_the_repository_with_the_indexes_root_and_a_folder_of_their_own(benchmarks):
    benchmarks.add(
        "import os, pathlib, sys\n"
        "assert pathlib.Path('pyproject.toml').is_file()\n"
        "assert pathlib.Path(sys.argv[1]).is_dir()\n"
        f"assert os.environ['RAG_ENGINE_ROOT'] == {str(benchmarks.results / 'indexes')!r}\n" + printing(0.72),
        "{work}",
    )
    assert benchmarks.run("run").stdout.startswith("OK: ")
    assert (benchmarks.results / "work" / "quality" / "figure").is_dir()


def test_results_are_kept_line_by_line_and_printed_as_json(benchmarks):
    benchmarks.add(printing(0.75))
    (printed,) = json.loads(benchmarks.run("run", "--json").stdout)
    benchmarks.run("run")
    kept = [json.loads(line) for line in (benchmarks.results / "results.jsonl").read_text().splitlines()]
    assert [(record["row"], record["verdict"]) for record in kept] == [("quality/figure", "BETTER")] * 2
    assert printed["checks"] == kept[1]["checks"]
    assert printed["checks"][0]["value"] == 0.75


def test_an_unknown_group_or_row_is_wrong_usage_and_names_the_known_ones(benchmarks):
    benchmarks.add(printing(0.72))
    group, name = benchmarks.run("run", "speed"), benchmarks.run("run", "quality/other")
    assert (group.returncode, name.returncode) == (2, 2)
    assert "no benchmark speed (known are quality)" in group.stderr
    assert "no benchmark quality/other (known are quality/figure)" in name.stderr


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tolerance": -1.0}, "row quality/figure.checks.0.tolerance"),
        ({"expected": "0.72"}, "row quality/figure.checks.0.expected"),
        ({"direction": "sideways"}, "row quality/figure.checks.0.direction"),
        ({"retries": 3}, "row quality/figure.retries"),
        ({"checks": []}, "row quality/figure.checks"),
    ],
)
def test_a_row_that_is_not_as_it_must_be_is_wrong_usage_and_says_where(benchmarks, fields, said):
    benchmarks.add("", **fields)
    done = benchmarks.run("list")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["[[row]\n", "row = 3\n", "rows = []\n", "row = [3]\n"])
def test_a_file_that_is_no_list_of_rows_is_wrong_usage(benchmarks, text):
    benchmarks.conditions.write_text(text)
    done = benchmarks.run("list")
    assert done.returncode == 2
    assert str(benchmarks.conditions) in done.stderr
    assert "Traceback" not in done.stderr


def test_two_rows_of_one_name_are_refused(benchmarks):
    benchmarks.add("")
    benchmarks.add("")
    assert "rows there twice: quality/figure" in benchmarks.run("list").stderr


def test_the_projects_own_conditions_can_be_listed():
    done = run("list", "--json")
    assert done.returncode == 0
    assert "scifact-hybrid" in {row["name"] for row in json.loads(done.stdout)}
