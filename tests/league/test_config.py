from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from envs.game.layout import Speed
from league.checks import RecordError
from league.config import list_changes, load_config, render_config
from league.errors import ConfigError
from league.learning_settings import TrainingSettings
from league.settings import LeagueSettings, RunConfig

CONFIGS = Path(__file__).parents[2] / "configs"


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(folder: Path, text: str, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text), overrides)
    return list(caught.value.problems)


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "# nothing set\n")) == RunConfig()


def test_file_then_overrides_win_over_defaults(tmp_path: Path) -> None:
    text = "solo: {gamma: 0.9}\ntraining: {num_epochs: 3}\ncurriculum: {speeds: [LOW, HI]}\n"
    overrides = ["solo.gamma=0.5", "curriculum.levels=[3,4]", "solo.gamma=0.8"]
    config = load_config(write(tmp_path, text), overrides)
    assert config.solo.gamma == 0.8
    assert config.versus == RunConfig().versus
    assert config.training.num_epochs == 3
    assert config.curriculum.speeds == (Speed.LOW, Speed.HI)
    assert config.curriculum.levels == (3, 4)


def test_scientific_notation_and_nested_reward(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, "solo: {learning_rate: 1e-4}"), ["env.reward.virus=0"])
    assert config.solo.learning_rate == 1e-4
    assert config.env.reward.virus == 0


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    text = """
solo:
  learnin_rate: 0.1
  gamma: 1.5
training:
  num_epochs: many
  minibatch_size: 9999
curriculum:
  levels: [0, 21]
  speeds: [MED, FAST]
env:
  backend: simulater
  reward: {virus: 0.5}
leage: {slots: 2}
league:
  matchmaking: ello
  anchor: gredy
slots: 3
"""
    found = problems_of(tmp_path, text, "run.seed=-1", "processes.threads")
    for start, part in (
        ("solo.learnin_rate: unknown key", "'solo.learning_rate'"),
        ("solo.gamma: expected a number >= 0 and <= 1, got 1.5", ""),
        ("training.num_epochs: expected int, got 'many'", ""),
        ("training.minibatch_size: expected at most train_batch_size", ""),
        ("curriculum.levels: expected a number >= 0 and <= 20, got 21", ""),
        ("curriculum.speeds: expected tuple[Speed, ...] (LOW, MED, HI)", "'FAST'"),
        ("env.backend: expected Literal['simulator', 'retro'], got 'simulater'", ""),
        ("env.reward: expected ", "0.5"),
        ("leage: unknown key", "'league'"),
        ("league.matchmaking: expected one of", "'elo'"),
        ("evaluation.opponents: expected the anchor 'gredy'", ""),
        ("slots: unknown key", "'league.slots'"),
        ("run.seed: expected a number >= 0", "-1"),
        ("processes.threads: expected an override of the form key.sub=value", ""),
    ):
        matching = [line for line in found if line.startswith(start) and part in line]
        assert len(matching) == 1, (start, part, found)
    assert len(found) == 14, found


def test_a_bad_value_is_not_compared_with_others(tmp_path: Path) -> None:
    """A batch size that is no number leaves nothing to compare the minibatch size with."""
    text = "training: {train_batch_size: lots, minibatch_size: 999999}"
    (problem,) = problems_of(tmp_path, text)
    assert problem.startswith("training.train_batch_size: expected int")


def test_the_error_names_the_file_and_all_problems(tmp_path: Path) -> None:
    path = write(tmp_path, "a: 1\nb: 2\n")
    with pytest.raises(ConfigError, match=r"(?s)config\.yaml: 2 problems.*a: .*b: "):
        load_config(path)


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        ("tracking: {project: '${oc.env:HOME}'}", ()),
        ("evaluation: {opponents: ['${oc.env:HOME}']}", ()),
        ("training: ${run}", ()),
        ("", ("tracking.project=${oc.env:HOME}",)),
    ],
)
def test_interpolation_is_refused_with_the_reason(
    tmp_path: Path, text: str, overrides: tuple[str, ...]
) -> None:
    (problem,) = problems_of(tmp_path, text, *overrides)
    assert "secrets" in problem


def test_a_secret_never_reaches_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAGUE_TEST_SECRET", "hunter2")
    for text in (
        "env: {game: '${oc.env:LEAGUE_TEST_SECRET}'}",
        "x: '${oc.env:LEAGUE_TEST_SECRET}'",
    ):
        assert "hunter2" not in str(problems_of(tmp_path, text))


@pytest.mark.parametrize(
    "text", ["training: 3", "training: null", "training: [1]", "env: {reward: high}"]
)
def test_a_value_in_place_of_a_block_is_a_problem(tmp_path: Path, text: str) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert "expected a block of keys" in problem


@pytest.mark.parametrize("value", ["null", "'???'", "{a: 1}", "[1]", ".nan", ".inf", "true"])
def test_values_that_are_no_number_are_a_problem(tmp_path: Path, value: str) -> None:
    (problem,) = problems_of(tmp_path, f"training: {{num_epochs: {value}}}")
    assert problem.startswith("training.num_epochs: expected")


def test_a_float_that_is_not_finite_is_a_problem(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "solo: {gamma: .nan}")
    assert problem.startswith("solo.gamma: expected a number")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", "duplicate"),
        ("a: [1", "YAML"),
        ("- 1\n", "mapping"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, text: str, words: str) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert words in problem


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.yaml: 1 problem\n.*cannot be read"):
        load_config(tmp_path / "missing.yaml")


def test_games_and_policies_that_do_not_exist_are_problems(tmp_path: Path) -> None:
    text = "env: {game: PillDual-Nes-v0}\nleague: {scripted: [greedy, randm, 'noop:x=1']}\n"
    found = problems_of(tmp_path, text)
    assert len(found) == 3
    assert "did you mean 'PillDuel-Nes-v0'" in found[0]
    assert "did you mean 'random'" in found[1]
    assert found[2].startswith("league.scripted: expected parameters of 'noop'")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_configs_load(path: Path) -> None:
    assert path.read_text().startswith("# ")
    assert len(path.read_text().splitlines()) <= 40
    load_config(path)


@pytest.mark.parametrize("name", ["", "a/b", "../up", ".hidden", "a b", "x" * 65])
def test_run_names_are_safe_as_folders(tmp_path: Path, name: str) -> None:
    (problem,) = problems_of(tmp_path, f"run: {{name: '{name}'}}")
    assert problem.startswith("run.name: expected")


def test_the_resolved_configuration_reads_back(tmp_path: Path) -> None:
    path = write(tmp_path, "curriculum: {levels: [1, 2], speeds: [LOW, HI]}\nrun: {seed: 7}\n")
    config = load_config(path)
    text = render_config(config)
    assert "!!" not in text
    assert load_config(write(tmp_path, text)) == config


def test_changes_are_listed_key_by_key() -> None:
    stored = RunConfig()
    current = replace(
        stored,
        versus=replace(stored.versus, gamma=0.5),
        curriculum=replace(stored.curriculum, levels=(1, 1)),
    )
    assert list_changes(stored, stored) == []
    assert list_changes(stored, current) == [
        f"curriculum.levels: {tuple(range(11))} -> (1, 1)",
        "versus.gamma: 0.997 -> 0.5",
    ]


def test_ratings_must_hang_on_the_anchor(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "evaluation: {opponents: [random]}")
    assert problem.startswith("evaluation.opponents: expected the anchor 'greedy' among them")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("network: {kind: column}", "env.actions: expected 'buttons'"),
        (
            "network: {kind: column}\nenv: {actions: buttons}\nleague: {scripted: [greedy]}",
            "env.backend: expected 'retro' for buttons",
        ),
        (
            "network: {kind: column}\nenv: {actions: buttons, backend: retro}\n"
            "processes: {games: 1}\nleague: {scripted: [greedy]}\nexport: {profile: quick}",
            "export.profile: expected 'none' for a run that trains buttons",
        ),
        ("env: {backend: retro}", "processes.games: expected 1"),
        ("env: {game: DrMario-Nes-v0}", "env.game: expected 'PillDuel-Nes-v0'"),
        ("league: {scripted: [random]}", "league.scripted: expected policies that can play"),
    ],
)
def test_what_cannot_be_played_together_is_a_problem(tmp_path: Path, text: str, start: str) -> None:
    (problem,) = problems_of(tmp_path, text)
    assert problem.startswith(start)


def test_settings_built_in_code_are_checked_too() -> None:
    with pytest.raises(RecordError, match=r"num_epochs.*gae_lambda"):
        TrainingSettings(gae_lambda=2.0, num_epochs=0)
    with pytest.raises(RecordError, match=r"evaluation\.opponents: expected the anchor"):
        RunConfig(league=LeagueSettings(anchor="nobody"))


def test_every_setting_is_plain_data() -> None:
    def leaves(value: object) -> list[object]:
        children = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | tuple):
            return [leaf for child in children for leaf in leaves(child)]  # type: ignore[attr-defined]
        return [value]

    assert all(isinstance(leaf, str | int | float | bool) for leaf in leaves(asdict(RunConfig())))
