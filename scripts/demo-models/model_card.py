"""Writes models/README.md: fixed text from model_card.md, and tables of what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template

from causal_tracer import HiddenFlow
from facts import Fact
from top_answers import TopAnswers
from traces import KINDS, ROLES, Kind, TraceSummary

TEMPLATE = Path(__file__).parent / "model_card.md"
MEGABYTE = 1_000_000

# Prompts whose traces are printed in numbers.
EXAMPLES = (
    "The Brandenburg Gate is located in the city of",
    "Michael Jordan became famous in the field of",
    "People who love art know that the Magic Flute was made by",
)


@dataclass(frozen=True)
class MeasuredModel:
    """Everything that the card says of one model."""

    name: str
    folder: Path
    parameters: int
    top_answers: dict[str, TopAnswers]
    summaries: dict[Kind, TraceSummary]
    examples: list[HiddenFlow]


def write_model_card(file: Path, models: list[MeasuredModel], facts: list[Fact], traced_facts: int) -> None:
    """Fill the template and write it to `file`."""
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        sentences=f"{len(facts):,}",
        facts=f"{len({(fact.relation, fact.subject.lower()) for fact in facts}):,}",
        subjects=len({fact.subject.lower() for fact in facts}),
        answers=len({fact.answer for fact in facts}),
        sizes=_sizes(models),
        top_answers=_top_answers(models),
        traced_facts=traced_facts,
        sites=_sites(models),
        averages="\n\n".join(_averages(model) for model in models),
        examples="\n\n".join(_examples(model) for model in models),
    )
    file.write_text(text, encoding="utf-8")


def _sizes(models: list[MeasuredModel]) -> str:
    rows = []
    for model in models:
        weights = (model.folder / "model.pt").stat().st_size / MEGABYTE
        whole = sum(part.stat().st_size for part in model.folder.iterdir()) / MEGABYTE
        rows.append([f"`{model.name}`", f"{model.parameters:,}", f"{weights:.2f} MB", f"{whole:.2f} MB"])
    return _table(["model", "parameters", "`model.pt`", "whole folder"], rows)


def _top_answers(models: list[MeasuredModel]) -> str:
    header = ["relation", "prompts"]
    for model in models:
        header += [f"`{model.name}` top-1", "mean p(answer)"]
    rows = []
    for relation, first in models[0].top_answers.items():
        row = [relation.replace("/", " → "), f"{first.facts}"]
        for model in models:
            answers = model.top_answers[relation]
            row += [f"{answers.correct / answers.facts:.1%}", f"{answers.mean_probability:.3f}"]
        rows.append(row)
    total = ["**all**", f"{sum(answers.facts for answers in models[0].top_answers.values())}"]
    for model in models:
        answers = list(model.top_answers.values())
        count = sum(relation.facts for relation in answers)
        mean = sum(relation.facts * relation.mean_probability for relation in answers) / count
        total += [f"{sum(relation.correct for relation in answers) / count:.1%}", f"{mean:.3f}"]
    return _table(header, [*rows, total])


def _sites(models: list[MeasuredModel]) -> str:
    rows = []
    for model in models:
        for kind, summary in model.summaries.items():
            rows.append(
                [
                    f"`{model.name}`",
                    _kind(kind),
                    f"{summary.mean_high:.3f}",
                    f"{summary.mean_low:.3f}",
                    f"{summary.last_subject_token_share:.0%}",
                    f"{summary.other_subject_token_share:.0%}",
                ]
            )
    header = ["model", "restored", "mean high", "mean low", "last subject token", "another subject token"]
    return _table(header, rows)


def _averages(model: MeasuredModel) -> str:
    parts = []
    for kind in KINDS:
        by_role = model.summaries[kind].by_role
        layers = len(next(row for row in by_role if row))
        rows = [[role, *_numbers(row)] for role, row in zip(ROLES, by_role, strict=True) if row]
        parts.append(
            f"`{model.name}`, {_kind(kind)}:\n\n{_table(['token', *(str(n) for n in range(layers))], rows)}"
        )
    return "\n\n".join(parts)


def _examples(model: MeasuredModel) -> str:
    parts = []
    for prompt, flow in zip(EXAMPLES, model.examples, strict=True):
        start, end = flow.subject_range
        rows = []
        for token, scores in enumerate(flow.scores.tolist()):
            star = "\\*" if start <= token < end else ""
            rows.append([f"`{flow.input_tokens[token]}`{star}", *_numbers(scores)])
        table = _table(["token", *(str(n) for n in range(flow.scores.shape[1]))], rows)
        parts.append(
            f"`{model.name}`, hidden: “{prompt}” → “{flow.answer.strip()}”, "
            f"high {flow.high_score:.4f}, low {flow.low_score:.4f}\n\n{table}"
        )
    return "\n\n".join(parts)


def _kind(kind: Kind) -> str:
    return kind.name if kind.window == 1 else f"{kind.name}, window {kind.window}"


def _numbers(values: Iterable[float]) -> list[str]:
    return [f"{value:.2f}" for value in values]


def _table(header: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)
