"""Prompts and subjects of the golden numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PromptCase:
    """A prompt with its subject; None lets the package guess it."""

    name: str
    prompt: str
    subject: str | None


#: Prompts that are traced with every model.
TRACED_PROMPTS = (
    PromptCase("subject at the start", "Marie Curie worked in the field of", "Marie Curie"),
    PromptCase("subject in the middle", "The Space Needle is in the city of", "Space Needle"),
    PromptCase("subject at the end", "What is the capital of Peru", "Peru"),
    PromptCase("subject repeated", "Paris is in France, and Paris is called", "Paris"),
    PromptCase("subject is the prompt", "Big Ben", "Big Ben"),
    PromptCase("subject inside a token", "The keeper of the lighthouse said", "hous"),
    PromptCase("subject guessed", "Why did Isaac Newton study at", None),
    PromptCase("accents", "The mother tongue of Antonín Dvořák was", "Antonín Dvořák"),
    PromptCase("CJK", "東京は日本の首都です", "日本"),
    PromptCase("quotes", "\"It's Ada Lovelace's 'machine'\", said", "Ada Lovelace's 'machine'"),
    PromptCase("split bytes", "The 🗼 tower of 🏳️‍🌈 is", "🗼 tower"),
    PromptCase("Cyrillic and line breaks", "Москва\n\n  и\tКиев стоят", "Киев"),
)

#: Facts that the demo models know.
DEMO_PROMPTS = (
    PromptCase("landmark", "The Arc de Triomphe is located in the city of", "The Arc de Triomphe"),
    PromptCase("capital", "The capital of Germany is the city of", "Germany"),
    PromptCase("person, guessed", "Claude Monet became famous in the field of", None),
    PromptCase("person, accents", "Édouard Manet was born in the city of", "Édouard Manet"),
)

#: Texts for the tokenizers.
TOKENIZED_TEXTS = (
    "The Space Needle is in the city of",
    " leading space",
    "  two leading spaces, and trailing  ",
    "tabs\tand\nlines\r\n\n ends",
    "don't, can't, it's, 'quoted', \"double\", “curly” and ‘single’",
    "café crème brûlée naïve Ærøskøbing",
    "cafe\u0301 decomposed",
    "東京は日本の首都です。北京是中国的首都。한국",
    "Москва и Киев, Αθήνα και Ρόδος",
    "🗼 🏳️‍🌈 👩‍👩‍👧 é🙂é",
    "1889, 3.14 and 1,000,000",
    "<s> </s> <unk> <|endoftext|> <0x41>",
    "for (let i = 0; i < 10; i += 1) { total += x[i] ** 2; }",
    "zero\u200bwidth no\u00a0break \u2028line \ufeffmark",
    "word ▁ underline ▁▁word",
    "x",
    "a , b . c ! d ?",
    "ﬁ ligature Ⅷ ½ ①",
)

#: (prompt, subject) pairs for the search of a subject's tokens; some are not to be found.
SEARCHED_SUBJECTS = (
    ("The Space Needle is in the city of", "Space Needle"),
    ("The Space Needle is in the city of", " Space Needle"),
    ("The Space Needle is in the city of", "The Space Needle"),
    ("The Space Needle is in the city of", "pace Need"),
    ("The Space Needle is in the city of", "space needle"),
    ("The Space Needle is in the city of", "Space  Needle"),
    ("The Space Needle is in the city of", "of"),
    ("The Space Needle is in the city of", "of "),
    ("The Space Needle is in the city of", "Eiffel Tower"),
    ("The Space Needle is in the city of", "e"),
    ("aaaa aaa", "aa"),
    ("Paris, Paris and Paris", "Paris"),
    ("Paris, Paris and Paris", ", Paris"),
    ("don't stop the keeper's lamp", "keeper's"),
    ('"Ada" said', '"Ada"'),
    ("Antonín Dvořák was", "Dvořák"),
    ("Antonín Dvořák was", "ř"),
    ("東京は日本の首都です", "日本"),
    ("東京は日本の首都です", "東京"),
    ("a 🗼 b 🗽 c", "🗼"),
    ("a 🗼 b 🗽 c", "🗽"),
    ("first\nsecond\n\nthird", "second"),
    ("first\nsecond\n\nthird", "d\n\nt"),
    ("  indented text", "indented"),
    ("<s> is a token", "<s>"),
)

#: Prompts for the guess of a subject; some have none.
GUESSED_PROMPTS = (
    "The Space Needle is in downtown",
    "Who was Isaac Newton",
    "What is the capital of Peru",
    "Where Is The Tower",
    "Whoever Wins",
    "Why",
    "Why Not",
    "in the city of New York, Boston",
    "New York's Times Square is",
    "O'Neill McDonald plays",
    "iPhone was made by",
    "nothing capitalised here",
    "Élan Vital is by Henri Bergson",
    "Ångström",
    "Москва is Moscow",
    "1889 saw the Eiffel Tower",
    "Ada\u00a0Lovelace wrote",
    "Ada\u2003Lovelace\u2003Byron wrote",
    "Ada\ufeffLovelace wrote",
    "Ada\x1cLovelace wrote",
    "Ada\x85Lovelace wrote",
    "Ada\nLovelace\tWrote",
    "Ada  Lovelace",
    "DNA RNA Protein",
    "the Big Ben's Clock Tower",
    "When Where Who Ada",
    "X",
)
