"""Archives whose code does more than a traced model's."""

from __future__ import annotations

from collections.abc import Iterator

import pickle_writer as p
from cases import Case
from minimal_model import FORWARD, HEAD, RESULT, TENSOR, archive, code, data

#: One line each of a forward method, and what is said of it.
LINES = {
    "reads-a-file": ('_1 = torch.from_file("/etc/passwd", False, 16)', "torch.from_file"),
    "saves-a-file": ('torch.save(_0, "saved")', "torch.save"),
    "saves-as-ops": ('ops.aten.save(_0, "saved")', "ops.aten.save"),
    "prints": ('print("hello")', "print"),
    "prints-as-ops": ("ops.prim.Print(_0)", "ops.prim.Print"),
    "warns": ('torch.warn("hello", 2)', "torch.warn"),
    "calls-another-process": ('_1 = ops.prim.rpc_sync("worker", "f")', "ops.prim.rpc_sync"),
    "starts-a-task": ("_1 = fork(self.forward, input_ids)", "calls fork"),
    "custom-operator": ("_1 = ops.mylib.run(_0)", "ops.mylib.run"),
    "backend-operator": ("_1 = ops.mkldnn._linear_pointwise(_0)", "ops.mkldnn._linear_pointwise"),
    "internal-operator": ("_1 = torch._cast_Byte(_0)", "torch._cast_Byte"),
    "unknown-operator": ("_1 = torch.frobnicate(_0)", "torch.frobnicate"),
    "deeper-library": ("_1 = torch.nn.functional.relu(_0)", "uses torch, which"),
    "another-view-of-the-memory": ("_1 = torch.as_strided(_0, [1000000], [1])", "torch.as_strided"),
    "another-storage": ("_1 = torch.set_(_0, weight)", "torch.set_"),
    "a-tensor-resized": ("_1 = torch.resize_(weight, [1000000])", "torch.resize_"),
    "result-elsewhere": ("_1 = torch.mul(_0, _0, out=weight)", "with out="),
    "unchecked-cast": ("_1 = unchecked_cast(List[int], weight)", 'has "int"'),
    "uninitialised-value": ("_1 = uninitialized(Tensor)", "calls uninitialized"),
    "native-class": ("_1 = __torch__.torch.classes.quantized.LinearPackedParamsBase(_0)", "__torch__"),
    "method-of-a-tensor": ("_1 = (_0).resize_([1000000])", "method resize_ of what is no module"),
    "attribute-of-a-tensor": ("_1 = _0.data", "attribute data of what is no module"),
    "operator-renamed": ("torch = weight", "assigns to torch"),
    "module-as-value": ("_1 = torch.mul(_0, self)", "uses a module"),
    "unknown-device": ('_1 = torch.to(_0, torch.device("privateuseone"), 6)', "a device that is neither"),
    "device-as-a-string": ('_1 = torch.to(_0, "meta")', 'the string "meta"'),
    "element-of-an-element": (f"_1 = _0{'[0]' * 100}", 'has "["'),
    "long-chain": (
        "\n".join(["_1 = _0", *("    _1 = torch.neg(_1)" for _ in range(20_000))]),
        "one after the other",
    ),
    "many-steps": (
        "\n".join(["_1 = _0", *("    _2 = torch.neg(_1)" for _ in range(200_000))]),
        "more than 250000 steps",
    ),
    "attribute-set": ("self.weight = _0", 'has "="'),
    "endless-while": ("while True:\n      _1 = torch.mul(_0, _0)", 'has "while"'),
    "for-loop": ("for i in range(10):\n      _1 = torch.mul(_0, _0)", 'has "for"'),
    "condition": ("if bool(_0):\n      _1 = torch.mul(_0, _0)", 'has "if"'),
    "one-line-condition": ("_1 = _0 if True else weight", '"if"'),
    "lambda": ("_1 = lambda x: x", '"lambda"'),
    "assertion": ('assert False, "no"', '"assert"'),
    "exception": ('raise Exception("no")', '"raise"'),
    "with-block": ("with _0:\n      _1 = _0", 'has "with"'),
    "python-import": ("import os", '"import"'),
    "infix-operator": ("_1 = _0 + _0", '"+ _0"'),
    "comment": ("_1 = _0  # type: (Tensor) -> Tensor", "#"),
    "escape-in-a-string": ('_1 = torch.gelu(_0, approximate="\\x6e")', "\\\\"),
    "triple-quotes": ('_1 = torch.gelu(_0, approximate="""none""")', '\\"\\"\\"'),
    "line-continued": ("_1 = torch.mul(_0, \\\n      _0)", "\\\\"),
    "two-statements": ("_1 = _0; _2 = _0", ";"),
    "hexadecimal-number": ("_1 = torch.mul(_0, 0x10)", "0x10"),
    "name-out-of-nowhere": ("_1 = torch.mul(_0, secret)", "uses secret"),
    "code-behind-return": ("return _0", "behind a return"),
    "not-ascii": ("_1 = torch.mul(_0, \u00b5)", "\u00c2\u00b5"),
    "deep-brackets": (f"_1 = {'(' * 100}_0{')' * 100}", "nested too deeply"),
}

#: More members of the class, and what is said of them.
MEMBERS = {
    "setstate-by-hand": (
        "  def __setstate__(self: __torch__.Model,\n    state: Tensor) -> NoneType:\n    return None\n",
        "__setstate__",
    ),
    "getstate-by-hand": (
        "  def __getstate__(self: __torch__.Model) -> Tensor:\n    return self.weight\n",
        "__getstate__",
    ),
    "another-method": (
        "  def helper(self: __torch__.Model) -> Tensor:\n    return self.weight\n",
        "the method helper",
    ),
    "forward-hooks": ('  __forward_hooks__ = ["hook", ]\n', "__forward_hooks__"),
    "constant-attribute": ("  size : int = 3\n", '"="'),
    "calls-itself": (
        "  def forward1(self: __torch__.Model,\n    x: Tensor) -> Tensor:\n    return (self).forward1(x, )\n",
        "in a circle",
    ),
    "native-attribute": (
        "  packed : __torch__.torch.classes.quantized.LinearPackedParamsBase\n",
        "attribute Model.packed",
    ),
    "list-attribute": ("  sizes : List[int]\n", "attribute Model.sizes"),
    "method-twice": (FORWARD + RESULT, "defines forward twice"),
    "tuple-of-tuples": (
        "  def forward1(self: __torch__.Model,\n    x0: Tensor) -> Tensor:\n"
        + "".join(f"    x{i + 1} = (x{i}, x{i})\n" for i in range(40))
        + "    return x0\n",
        "more than 1000 parts",
    ),
}


def hostile_code() -> Iterator[Case]:
    """All of them."""
    for name, (line, finding) in LINES.items():
        yield Case(name, archive({"code/__torch__.py": code(line)}), finding)
    for name, (member, finding) in MEMBERS.items():
        yield Case(name, archive({"code/__torch__.py": code(more=member)}), finding)
    for name, text, finding in _whole_files():
        yield Case(name, archive({"code/__torch__.py": text}), finding)
    yield from _many_modules()


def _whole_files() -> Iterator[tuple[str, str, str]]:
    yield "free-function", code() + "def helper(x: Tensor) -> Tensor:\n  return x\n", '"def"'
    yield "import-at-the-top", "import os\n" + code(), '"import"'
    yield "no-module", code().replace("(Module)", "(NamedTuple)"), '"NamedTuple"'
    yield "class-twice", code() + code(), "defines Model twice"
    yield (
        "another-self",
        code().replace("self: __torch__.Model", "self: __torch__.Other"),
        "self of another class",
    )
    yield "tabs", code().replace("    return", "\treturn"), "\\t"
    yield "indented-otherwise", code().replace("    return", "     return"), "indented"
    yield "bracket-left-open", code("_1 = torch.mul(_0, _0"), "bracket"
    yield "contains-itself", HEAD + "  inner : __torch__.Model\n" + FORWARD + RESULT, "contains itself"


def _many_modules() -> Iterator[Case]:
    # Level n holds level n + 1 under two names, and calls both.
    def level(number: int, count: int) -> str:
        name = f"__torch__.Level{number}"
        head = f"class Level{number}(Module):\n  __parameters__ = []\n  __buffers__ = []\n"
        forward = f"  def forward(self: {name},\n    x: Tensor) -> Tensor:\n"
        if number == count:
            return head + "  training : bool\n" + forward + "    return torch.neg(x)\n"
        below = f"__torch__.Level{number + 1}"
        called = "    a = self.a\n    b = self.b\n    return (b).forward((a).forward(x, ), )\n"
        return f"{head}  a : {below}\n  b : {below}\n{forward}{called}"

    for name, count, finding in (
        ("exploding-modules", 40, "more than 200000 modules"),
        ("nested-modules", 100, "deep"),
    ):
        text = code() + "".join(level(number, count) for number in range(count + 1))
        yield Case(name, archive({"code/__torch__.py": text}), finding)
    # Few modules, but each calls the one below ten times.
    chain = code()
    for number in range(12):
        below = f"  inner : __torch__.Step{number + 1}\n" if number < 11 else "  training : bool\n"
        calls = "    _0 = (self.inner).forward(x, )\n" * 10 if number < 11 else ""
        chain += f"class Step{number}(Module):\n  __parameters__ = []\n  __buffers__ = []\n{below}"
        chain += f"  def forward(self: __torch__.Step{number},\n    x: Tensor) -> Tensor:\n"
        chain += f"{calls}    return torch.neg(x)\n"
    yield Case("exploding-calls", archive({"code/__torch__.py": chain}), "steps")
    circle = code() + "".join(
        f"class {one}(Module):\n  __parameters__ = []\n  __buffers__ = []\n  inner : __torch__.{other}\n"
        for one, other in (("Left", "Right"), ("Right", "Left"))
    )
    yield Case("modules-in-a-circle", archive({"code/__torch__.py": circle}), "contains itself")
    native = {"code/__torch__/torch/classes/evil.py": code(), "data.pkl": data(TENSOR, more=p.NONE)}
    yield Case("name-of-a-native-class", archive(native), "a name that libtorch keeps for itself")
