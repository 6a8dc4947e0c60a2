"""Proves that a trace gives the logits of the model in eager mode, also at shapes that it was not traced at."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .errors import ExportError, first_line
from .token_ids import fixed_ids
from .traceable import default_call, make_inputs

# Relative to the largest logit. A correct trace runs the same kernels in the same order, so it is exact or differs by
# a few roundings; a wrong mask or a baked-in length shows far above. float32 rounds to 6e-8, bfloat16 to 4e-3 and
# float16 to 5e-4.
RELATIVE_TOLERANCE = {"float32": 1e-4, "bfloat16": 2e-2, "float16": 4e-3}

TRACED_BATCH, TRACED_LENGTH = 2, 7


@dataclass(frozen=True)
class VerificationCase:
    """One shape to compare at. Row r of a padded batch has r · left_padding / (batch - 1) masked positions."""

    name: str
    batch: int
    length: int
    left_padding: int = 0

    def paddings(self) -> Tensor:
        """Masked positions of each row."""
        rows = torch.arange(self.batch)
        return rows * self.left_padding // max(1, self.batch - 1)


@dataclass(frozen=True)
class Reference:
    """What the unchanged model computes in a case."""

    case: VerificationCase
    input_ids: Tensor
    logits: Tensor


@dataclass(frozen=True)
class Verification:
    """How far the trace was from the references."""

    tolerance: float
    differences: list[tuple[VerificationCase, float]]

    @property
    def worst(self) -> float:
        """The largest difference of all cases."""
        return max(difference for _, difference in self.differences)

    def to_json(self) -> dict[str, Any]:
        """The manifest's record."""
        return {
            "tolerance": self.tolerance,
            "cases": [
                {
                    "name": case.name,
                    "batch": case.batch,
                    "length": case.length,
                    "leftPadding": case.left_padding,
                    "maximumDifference": difference,
                }
                for case, difference in self.differences
            ],
        }


def verification_cases(maximum_positions: int | None, sliding_window: int | None) -> list[VerificationCase]:
    """The shapes to compare at, clipped to the model's positions."""
    limit = maximum_positions or 64
    longest = min(64, limit)
    cases = [
        VerificationCase("traced shape", TRACED_BATCH, min(TRACED_LENGTH, limit)),
        VerificationCase("one row", 1, min(TRACED_LENGTH, limit)),
        VerificationCase("three rows, shorter", 3, min(5, limit)),
        VerificationCase("one token", 1, 1),
        VerificationCase("one token, three rows", 3, 1),
        VerificationCase("longer", 1, min(13, limit)),
        VerificationCase("longest", 2, longest),
        VerificationCase("left padding", 3, min(9, limit), min(4, limit - 1)),
        VerificationCase("left padding, longer", 2, min(19, limit), min(11, limit - 1)),
    ]
    if sliding_window is not None and longest <= sliding_window <= 512:
        beyond = min(sliding_window + 3, limit)
        cases.append(VerificationCase("beyond the sliding window", 1, beyond))
    return cases


def reference_logits(
    model: nn.Module,
    inputs: tuple[str, ...],
    cases: list[VerificationCase],
    vocabulary_size: int,
    special: Collection[int],
) -> list[Reference]:
    """Run the model in eager mode: as a user would call it without padding, with explicit positions otherwise.

    Raises ExportError EXPORT_FAILED where the logits are not finite or the model looks ahead.
    """
    references = []
    for number, case in enumerate(cases):
        ids = fixed_ids(vocabulary_size, special, case.batch, case.length, seed=number)
        with torch.no_grad():
            if case.left_padding == 0:
                logits = default_call(model, ids).logits
            else:
                named = make_inputs(ids, case.paddings(), inputs)
                logits = model(**named, use_cache=False, return_dict=True).logits
        references.append(Reference(case, ids, logits))
        if not torch.isfinite(_ordinary(logits, case)).all():
            raise ExportError(
                "EXPORT_FAILED",
                f'the model itself gives logits that are not finite in the case "{case.name}"; '
                "try another --dtype (float32 has the widest range on a CPU)",
            )
    return references


def check_causality(model: nn.Module, input_ids: Tensor, tolerance: float) -> None:
    """Raise ExportError EXPORT_FAILED unless logits depend on earlier tokens only; `input_ids` `[1, length]`."""
    changed = input_ids.clone()
    changed[0, -1] = input_ids[0, 0] if input_ids[0, -1] != input_ids[0, 0] else input_ids[0, 1]
    with torch.no_grad():
        before, after = (default_call(model, ids).logits[0, :-1].float() for ids in (input_ids, changed))
    difference = (before - after).abs().max().item()
    if difference > tolerance:
        raise ExportError(
            "EXPORT_FAILED",
            f"this model looks ahead: changing the last token changes earlier logits by {difference:.3g}; "
            "causal tracing here is for decoder-only (left-to-right) language models",
        )


def tolerance_for(references: list[Reference], dtype: str) -> float:
    """The largest difference that counts as equal: RELATIVE_TOLERANCE of the largest logit."""
    largest = max(_ordinary(reference.logits, reference.case).abs().max().item() for reference in references)
    return RELATIVE_TOLERANCE[dtype] * (largest if largest > 0 else 1.0)


def verify_trace(
    run: Callable[..., Tensor], inputs: tuple[str, ...], references: list[Reference], dtype: str
) -> Verification:
    """Compare `run` with the references at every position that is not padding.

    Raises ExportError EXPORT_FAILED naming the worst case and by how much it differs.
    """
    tolerance = tolerance_for(references, dtype)
    differences = []
    for reference in references:
        case = reference.case
        named = make_inputs(reference.input_ids, case.paddings(), inputs)
        try:
            # Unoptimized, as causal-tracer runs it: a fused chain of operators rounds less often in a narrow dtype.
            with torch.no_grad(), torch.jit.optimized_execution(False):
                logits = run(*named.values())
        except RuntimeError as error:
            raise ExportError(
                "EXPORT_FAILED",
                f"the trace does not run in the case {_describe(case)}, although the model does: {_reason(error)}",
            ) from error
        if logits.shape != reference.logits.shape:
            raise ExportError(
                "EXPORT_FAILED",
                f"the trace gives logits of shape {list(logits.shape)} in the case {_describe(case)}, the model "
                f"{list(reference.logits.shape)}",
            )
        difference = (_ordinary(logits, case) - _ordinary(reference.logits, case)).abs().max().item()
        differences.append((case, difference))
    # `not <=` so that a NaN counts as different.
    wrong = [(case, difference) for case, difference in differences if not difference <= tolerance]
    if wrong:
        listed = "; ".join(f"{_describe(case)}: {difference:.3g}" for case, difference in wrong)
        raise ExportError(
            "EXPORT_FAILED",
            f"the trace gives other logits than the model, so nothing was written. Largest differences, where at most "
            f"{tolerance:.3g} is allowed: {listed}",
        )
    return Verification(tolerance, differences)


def _ordinary(logits: Tensor, case: VerificationCase) -> Tensor:
    """The logits at positions that are not padding, `[positions, vocabulary]`, float32."""
    positions = torch.arange(case.length).expand(case.batch, case.length)
    return logits[positions >= case.paddings()[:, None]].float()


def _describe(case: VerificationCase) -> str:
    padding = f", left padding {case.left_padding}" if case.left_padding else ""
    return f'"{case.name}" (batch {case.batch}, length {case.length}{padding})'


def _reason(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "Error" in line), first_line(error))
