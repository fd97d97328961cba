"""A hundred strings that try to be more than text: as tokens, as names, as runs."""

from __future__ import annotations

_RUN = "window.top.hostile=1;alert(1)"

_MARKUP = [
    "<script>{run}</script>",
    "</script><script>{run}</script>",
    "<ScRiPt>{run}</sCrIpT>",
    "<script src=//hostile.example/x.js></script>",
    "<img src=x onerror={run}>",
    '<img src=x onerror="{run}">',
    "<img src=//hostile.example/x.png>",
    "<svg onload={run}>",
    "<svg><script>{run}</script></svg>",
    "<svg><animate onbegin={run} attributeName=x dur=1s>",
    "<math><mtext><img src=x onerror={run}></mtext></math>",
    "<body onload={run}>",
    "<iframe src=javascript:{run}></iframe>",
    '<iframe srcdoc="<script>{run}</script>"></iframe>',
    "<object data=javascript:{run}></object>",
    "<embed src=javascript:{run}>",
    "<a href=javascript:{run}>click</a>",
    "<form action=javascript:{run}><button>go</button></form>",
    "<button onclick={run}>go</button>",
    "<details open ontoggle={run}>x</details>",
    "<video><source onerror={run}></video>",
    "<input autofocus onfocus={run}>",
    "<marquee onstart={run}>x</marquee>",
    "<link rel=stylesheet href=//hostile.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//hostile.example/'>",
    "<base href=//hostile.example/>",
    "<style>*{{display:none!important}}</style>",
    "<style>@import '//hostile.example/x.css';</style>",
    "<template><script>{run}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={run}>'>",
    "<!--><img src=x onerror={run}>-->",
    "<![CDATA[<script>{run}</script>]]>",
    "<plaintext>",
    "<textarea><script>{run}</script>",
    "</title><script>{run}</script>",
    "</textarea></style><img src=x onerror={run}>",
    "&lt;script&gt;{run}&lt;/script&gt;",
    "&#60;script&#62;{run}&#60;/script&#62;",
    "\\u003cscript\\u003e{run}\\u003c/script\\u003e",
    "%3Cscript%3E{run}%3C/script%3E",
    '" onmouseover="{run}" x="',
    "' onmouseover='{run}' x='",
    "x onmouseover={run} y",
    '"><script>{run}</script>',
    "'-{run}-'",
    "javascript:{run}",
    "JaVaScRiPt:{run}",
    "java\tscript:{run}",
    " javascript:{run}",
    "data:text/html,<script>{run}</script>",
    "vbscript:{run}",
    "{{{{constructor.constructor('{run}')()}}}}",
    "${{{run}}}",
    "`${{{run}}}`",
    "<%= {run} %>",
    "#{{{run}}}",
    "[[{run}]]",
]
_STYLE = [
    "position:fixed;top:0;left:0;width:100vw;height:100vh;background:red;z-index:9999",
    "expression(alert(1))",
    "url(//hostile.example/x.png)",
    "}*{display:none}",
    "red;background:url(//hostile.example/x)",
    "var(--run)",
]
_NAMES = [
    "__proto__",
    "constructor",
    "prototype",
    "hasOwnProperty",
    "toString",
    "__defineGetter__",
    "length",
    "null",
    "undefined",
    "NaN",
]
_TEXT = [
    "\u202egnirts a fo dne eht",
    "\u2066isolated\u2069\u202d forced \u202c",
    "\u200f\u200f\u200f",
    "שלום עולם",
    "مرحبا بالعالم",
    "ذ\u200dذ" * 50,
    "\u200d" * 5_000,
    "\u200b" * 5_000,
    "a" + "\u0301" * 3_000,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
    "👩‍👩‍👧‍👦" * 200,
    "\ufffd\uffff\ufdd0",
    "\0",
    "a\0b",
    "\x1b[31mred\x07\b\b\b",
    "\ud800",
    "\udcff",
    "\udc80\ud800",
    "\ufeff",
    "\u2028\u2029",
    "\r\n\r\n\t\v\f",
    " ",
    "",
    "﷽" * 300,
    "W" * 100_000,
    "x" * 1_000_000,
    "中" * 30_000,
]  # fmt: skip

STRINGS = [*(text.format(run=_RUN) for text in _MARKUP), *_STYLE, *_NAMES, *_TEXT]
assert len(STRINGS) == 100, len(STRINGS)


def as_directory(text: str, taken: set[str]) -> str:
    """Return the name of a directory as near to `text` as a file system can hold."""
    name = text.replace("/", "\u2215").replace("\0", "")
    name = "".join(one for one in name if not "\ud800" <= one < "\udc80")
    while len(name.encode("utf-8", "surrogatepass")) > 240:
        name = name[: len(name) * 9 // 10]
    if name in {"", ".", ".."} or name in taken:
        name = f"{len(taken)} {name}"
    taken.add(name)
    return name
