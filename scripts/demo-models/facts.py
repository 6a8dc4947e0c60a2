"""The facts that the demo models learn, as prompts with a subject and a one-word answer.

Each file in `facts/` is one category: `fields` names the columns of `rows` (the first is the subject's name,
null means "no fact"), and `relations` gives the phrasings of each column that can be asked for. In a phrasing
`{s}` is the subject inside the sentence and `{S}` the subject at its start; the answer follows directly.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FACTS_FOLDER = Path(__file__).parent / "facts"
ARTICLE = "the "


@dataclass(frozen=True)
class Fact:
    """One fact in one phrasing."""

    relation: str
    prompt: str
    subject: str
    answer: str

    @property
    def sentence(self) -> str:
        """The whole sentence, as the models see it in training."""
        return f"{self.prompt} {self.answer}."


def load_facts(folder: Path = FACTS_FOLDER) -> list[Fact]:
    """All facts in all their phrasings, in a fixed order."""
    facts: list[Fact] = []
    for file in sorted(folder.glob("*.json")):
        category = json.loads(file.read_text(encoding="utf-8"))
        fields: list[str] = category["fields"]
        for row in category["rows"]:
            if len(row) != len(fields):
                raise ValueError(f"{file.name}: row {row} does not have the columns {fields}")
            values = dict(zip(fields, row, strict=True))
            for relation, phrasings in category["relations"].items():
                if values[relation] is None:
                    continue
                for phrasing in phrasings:
                    prompt, subject = _fill(phrasing, values["name"])
                    facts.append(Fact(f"{file.stem}/{relation}", prompt, subject, values[relation]))
    return facts


def _fill(phrasing: str, name: str) -> tuple[str, str]:
    """Return the prompt, and the subject as it is written there, without its article."""
    core = name.removeprefix(ARTICLE)
    if "{S}" not in phrasing:
        return phrasing.replace("{s}", name), core
    at_start = name[0].upper() + name[1:]
    subject = core if name.startswith(ARTICLE) else at_start
    return phrasing.replace("{S}", at_start), subject
