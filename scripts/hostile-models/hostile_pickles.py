"""Archives whose pickles do more than describe a module, or describe one that is not there."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pickle_writer as p
from cases import Case
from minimal_model import TENSOR, VOCABULARY, WEIGHT, archive, code, data

STORAGE = p.storage("0", VOCABULARY)


def hostile_pickles() -> Iterator[Case]:
    """All of them."""
    for name, content, finding in _data_pickles():
        yield Case(name, archive({"data.pkl": content}), finding)
    yield Case("constants-name-a-program", archive({"constants.pkl": _call("os", "system")}), "os.system")
    yield Case("module-among-constants", archive({"constants.pkl": data()}), "__torch__.Model")
    debug = {"code/__torch__.py.debug_pkl": _call("builtins", "eval")}
    yield Case("debug-record-names-a-program", archive(debug), "builtins.eval")
    inputs = {"traced_inputs.pkl": _call("os", "system")}
    yield Case("traced-inputs-name-a-program", archive(inputs), "os.system")
    yield Case("tensor-too-short", archive({"data/0": WEIGHT[:-4]}), "16 bytes in data/0, which has 12")
    yield Case("tensor-too-long", archive({"data/0": WEIGHT * 2}), "16 bytes in data/0, which has 32")
    yield Case("tensor-missing", archive({"data/0": None}), "which has 0")
    yield Case("tensor-nobody-names", archive({"data/1": WEIGHT}), "a tensor that data.pkl does not have")
    text = code().replace("weight : Tensor", "weight : Tensor\n  bias : Tensor")
    both = data(TENSOR, bias=TENSOR)
    yield Case("is-no-module", archive({"data.pkl": p.whole(p.NONE), "data/0": None}), "describes no module")
    yield Case("storage-twice", archive({"code/__torch__.py": text, "data.pkl": both}), "two storages")


def _data_pickles() -> Iterator[tuple[str, bytes, str]]:
    yield "names-a-program", _call("os", "system"), "names os.system"
    yield "names-a-function", _call("builtins", "eval"), "names builtins.eval"
    yield "names-a-type-tag", _call("torch.jit._pickle", "restore_type_tag"), "restore_type_tag"
    yield "names-a-remote-value", _call("torch.distributed.rpc", "rref"), "rref"
    yield (
        "names-a-subclass-of-tensor",
        _call("torch._tensor", "_rebuild_from_type_v2"),
        "_rebuild_from_type_v2",
    )
    yield "names-a-class-without-code", _call("__torch__", "Other"), "__torch__.Other"
    yield "names-no-name", p.whole(p.name("os; rm", "x")), "a global that is no name"
    yield "quantised-storage", p.whole(p.name("torch", "QInt8Storage")), "QInt8Storage"
    yield "calls-a-number", p.whole(p.integer(0), p.EMPTY_TUPLE, p.REDUCE), "what is no function"
    yield (
        "builds-a-function",
        p.whole(p.name("collections", "OrderedDict"), p.EMPTY_TUPLE, p.BUILD),
        "no class",
    )
    yield "huge-memory", p.whole(p.NONE, b"r" + struct.pack("<I", 0xFFFFFFF0)), "out of order"
    yield "recalls-nothing", p.whole(b"h\x07"), "has not memorised"
    yield (
        "holds-itself",
        p.whole(b"}q\x00", p.MARK, p.text("me"), b"h\x00", p.SET_ITEMS),
        "before it is filled",
    )
    yield "takes-from-below-a-mark", p.whole(p.NONE, p.NONE, p.MARK, b"\x86"), "more than there is"
    yield "old-operation", p.whole(p.MARK + b"ios\nsystem\n"), "operation 0x69"
    yield "newer-protocol", b"\x80\x04" + data()[2:], "protocol 2"
    yield "ends-early", data()[:-20], "ends in the middle of an operation"
    yield "goes-on", data() + b".", "goes on behind its end"
    yield "string-longer-than-all", p.whole(b"X" + struct.pack("<I", 0x7FFFFFFF)), "ends in the middle"
    yield "deep-tuples", p.whole(p.EMPTY_TUPLE + b"\x85" * 1000), "nested too deeply"
    yield (
        "key-twice",
        _model(p.EMPTY_DICTIONARY + p.MARK + (p.text("weight") + TENSOR) * 2 + p.SET_ITEMS),
        "twice",
    )
    yield "attribute-missing", _model(p.dictionary({"weight": TENSOR})), "without its training"
    yield "attribute-too-many", data(TENSOR, more=p.NONE), "more than is declared"
    yield "number-for-a-tensor", data(p.integer(1)), "int as Model.weight"
    yield (
        "module-for-a-tensor",
        data(p.instance("__torch__", "Model", _state(TENSOR))),
        "object as Model.weight",
    )
    yield "module-in-a-tuple", _model(p.items(TENSOR)), "without a state"
    yield "tensor-too-large", data(p.tensor(STORAGE, (VOCABULARY + 1,), (1,))), "beyond its storage"
    yield "strides-too-large", data(p.tensor(STORAGE, (2,), (VOCABULARY,))), "beyond its storage"
    yield "offset-too-large", data(p.tensor(STORAGE, (1,), (1,), VOCABULARY)), "beyond its storage"
    yield "offset-negative", data(p.tensor(STORAGE, (1,), (1,), -1)), "no natural numbers"
    yield "stride-negative", data(p.tensor(STORAGE, (2,), (-1,), 1)), "no natural numbers"
    yield "size-beyond-numbers", data(p.tensor(STORAGE, (2**62, 4), (0, 1))), "no natural numbers"
    yield "size-absurd", data(p.tensor(STORAGE, (2**30, 2**30), (0, 0))), "more elements than any tensor has"
    yield "strides-missing", data(p.tensor(STORAGE, (VOCABULARY,), ())), "do not agree"
    yield "storage-elsewhere", data(p.tensor(p.storage("../data.pkl", 4), (4,), (1,))), "named by no number"
    yield (
        "storage-on-a-device",
        data(p.tensor(p.storage("0", 4, "privateuseone"), (4,), (1,))),
        "unknown device",
    )


def _call(module: str, attribute: str) -> bytes:
    return p.whole(p.name(module, attribute), p.items(p.text("touch owned")), p.REDUCE)


def _model(state: bytes) -> bytes:
    return p.whole(p.instance("__torch__", "Model", state))


def _state(weight: bytes) -> bytes:
    return p.dictionary({"weight": weight, "training": p.FALSE})
