"""Patterns of what is not language: placeholders, markup, addresses, code, numbers, emoji.

Each pattern finds a thing where it stands in running text. At one place the first pattern of the list wins. Repetitions
that could begin at every character of a long text have a bound, so that the time grows with the length alone.

In a text of a script without spaces, „ stands for its letters and marks (`seq2seq.segments.words.apart`), which would
otherwise count as parts of a name beside them.
"""

import re
from collections.abc import Iterator
from functools import cache, reduce

# A placeholder of printf, Python or Objective-C. A space flag is not known here: "50% of" holds no placeholder.
_PRINTF = (
    r"(?<![\d%])%(?:%|(?:\d{1,2}\$)?(?:\([\w.]+\))?[-+0\#']*(?:\d+|\*)?(?:\.(?:\d+|\*))?"
    r"(?:hh|h|ll|l|L|z|j|t|q)?[diouxXeEfFgGcCrsSpna@](?![A-Za-z]))"
)
# Text with balanced braces, six deep: a plural in a choice, with a placeholder in it, is four.
_NESTED = reduce(lambda inner, _: rf"[^{{}}]*+(?:\{{{inner}\}}[^{{}}]*+)*+", range(6), "[^{}]*+")
_ENDING = r"(?<![.,;:!?'\"»”’)\]}])"  # an address in a sentence does not end with its punctuation
_TOP = "com|org|net|edu|gov|mil|int|info|io|dev|app|co|ai|eu|de|fr|es|nl|it|uk|us|ch|at|be|jp|cn|ru|br|ca|au|in|pl|se"
_FILE = (
    "txt|md|rst|pdf|docx?|odt|xlsx?|ods|pptx?|odp|csv|tsv|json|ya?ml|toml|ini|cfg|conf|xml|html?|css|scss|jsx?|tsx?|py"
    "|ipynb|java|class|jar|cpp|hpp|cs|go|rs|rb|php|pl|sh|bat|exe|dll|so|zip|tar|gz|bz2|xz|7z|rar|iso|img|png|jpe?g|gif"
    "|svg|webp|mp[34]|wav|ogg|flac|avi|mkv|mov|log|sql|db|bak|tmp|po|pot|mo|srt|vtt|tmx|xlf|xliff|epub|ttf|otf|woff2?"
)
_UNIT = (
    r"%|‰|°[CF]?|[kMGTP]i?(?:B|bit|bps)|[kMG]?Hz|[kmM]?[VWA]|kWh|[mkcdµμn]?m[²³23]?|[kmµμ]?g|[mcdh]?l|km/h|m/s|mph|kcal"
    r"|[kM]?Pa|dB|px|pt|dpi|fps|rpm|min|ms|[€$£¥₹]"
)
_EMOJI = (
    "[\u231a-\u231b\u23e9-\u23fa\u2600-\u27bf\u2b05-\u2b55\u3030\u303d\u3297\u3299\u2190-\u21ff"
    "\U0001f000-\U0001faff][\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]*"
)

# Names of the patterns, and the patterns. re.VERBOSE is off: spaces count.
PATTERNS = {
    # -- code and placeholders
    "code": r"(?P<ticks>`{1,20})(?!`)[^\n]{1,1000}?(?<!`)(?P=ticks)(?!`)",
    "template": r"\{\{\{?[^{}\n]*\}?\}\}|\{%[^\n]{0,1000}?%\}|\{#[^\n]{0,1000}?#\}"
    r"|<%[^\n]{0,1000}?%>|<\?[^\n]{0,1000}?\?>",
    "message": r"\{\s*[\w.]+\s*,\s*(?:plural|select|selectordinal|number|date|time|spellout|ordinal|duration|choice)\b"
    + _NESTED
    + r"\}",
    "brace": r"[$#%@]?\{[^{}\n]{0,80}\}|\$\([^()\n]+\)|\$\[[^\[\]\n]+\]",
    "printf": _PRINTF,
    "windows_path": r"(?<!\w)(?:[A-Za-z]:[\\/]|%\w+(?:\(x86\))?%\\)[^\s<>\"“”„|?*]*"
    + _ENDING
    + r"|\\\\[\w.-]+(?:\\[\w.$-]+)+",
    "qt": r"(?:(?<!\d)|(?<=%\d)|(?<=%\d\d))%L?(?:\d{1,2}|n)(?!\w|%(?![\dLn]))|%[A-Za-z_][A-Za-z0-9_]+(?:\(x86\))?%",
    "variable": r"\$[A-Za-z_][A-Za-z0-9_]*\$?",
    # -- markup
    "tag": r"<!--.{0,2000}?-->|</?[A-Za-z][\w:.-]*(?:\s(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)?/?>"
    r"|</?\d+/?>|<!\[CDATA\[|\]\]>|<![A-Za-z][^<>]*>"
    r"|\[/?(?:b|i|u|s|url|img|quote|code|color|size|list)(?:=[^\[\]]*)?\]",
    "entity": r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6});",
    "escape": r"\\(?:[nrtbfv0\"'\\]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|U[0-9A-Fa-f]{8})",
    # -- addresses
    "url": r"<(?:[A-Za-z][A-Za-z0-9+.-]*:|[^\s<>@]+@)[^\s<>]+>|\bdata:[\w/+.-]+[;,][^\s\"'<>]*"
    r"|\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s<>\"“”„«»`|\\^{}]+" + _ENDING + r"|\bwww\.[^\s<>\"“”„«»`]+" + _ENDING,
    "email": r"(?:\bmailto:)?[\w.+'-]{0,64}\w@\w[\w-]{0,62}(?:\.\w[\w-]{0,62}){1,8}(?::[\w./~-]+\w)?",
    "ip": r"\b\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d+)?\b|\b(?:[0-9A-Fa-f]{1,4}:){3,7}(?::|[0-9A-Fa-f]{1,4})"
    r"|(?<![\w:])(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*)?::(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*)(?![\w:])",
    "domain": r"\b[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9][a-z0-9-]{0,62}){0,6}"
    rf"\.(?:{_TOP})(?:/[^\s<>\"“”„«»`]*{_ENDING}|:\d+)?(?![\w-])"
    r"|\b[a-z0-9-]{2,63}(?:\.[a-z0-9-]{2,63}){1,6}\.[a-z]{2,63}(?![\w(-])",
    "path": r"(?<![\w/<.„])(?:~|\.{1,2})?(?:/[\w.@+~%*-]+)+/?" + _ENDING,
    "file": rf"(?<![\w/])[\w*][\w.*-]{{0,80}}(?:/[\w.*-]{{1,80}}){{0,8}}\.(?:{_FILE})(?!\w)",
    # -- names of programs, people and things
    "mention": r"(?<![\w@])@[A-Za-z_][\w.-]*\w(?:@[\w.-]+\w)?|(?<![\w@])@\w\b",
    "hashtag": r"(?<![\w&#])#\w+",
    "version": r"\bv\d+(?:\.\d+)*[A-Za-z0-9]*(?:[-+.][A-Za-z0-9]+)*\b"
    r"|(?<![\w.,])(?!\d{1,3}(?:\.\d{3})+(?![\w.]))\d+(?:\.\d+){2,}(?:[-+][\w.]*\w)?(?![\w])",
    "option": r"(?<![\w„-])(?!-[A-Z][a-z])--?[A-Za-z][\w-]*(?:=[\w./-]*\w)?",
    "identifier": r"\b\w{1,64}(?:(?:\.|::|->)\w{1,64}){0,8}\(\)|\b\w{1,64}(?:::\w{1,64})+"
    r"|\b[A-Za-z0-9]+(?:_+[A-Za-z0-9]+)+|\b__[a-z]\w*__\b"
    r"|\b[A-Z][A-Z0-9]*-\d[\dA-Z-]*\b"
    r"|\b(?:sha\d+|md5):[0-9A-Fa-f]+|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"
    r"|\b[A-Z](?:\+\+|#)(?!\w)"
    r"|\b(?=[0-9A-Fa-f-]*\d)[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4,12})+\b|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b"
    r"|\b[A-Za-z]+\d[A-Za-z0-9]*|\b\d+(?!E[-+]\d)[A-Z][A-Z0-9]*\b|\b[a-z]+[A-Z][A-Za-z0-9]*",
    "key": r"\b(?:Ctrl|Alt|Shift|Cmd|Strg|Esc|Win)(?:\s?\+\s?[\w]+)+|\bF\d{1,2}\b",
    # -- pictures
    "emoji": r"(?:[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3"
    rf"|{_EMOJI}(?:\u200d{_EMOJI}|[\U000e0020-\U000e007f]+)*)+"
    r"|(?<!\S)(?:[:;=8][-']?[)(DPpOo/|\]\[*3]|<3|\^_?\^|[xX]D)(?![\w])",
    # -- numbers
    "date": r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?\b",
    "phone": r"(?<![\w.+])(?:\+\d{1,3}|\(0\d+\)|0\d{1,5})(?:[ /-]?\(?\d{1,12}\)?){0,6}[ /-]\d{2,}\b",
    "number": r"(?<![\w.,])[-+−±~≈≤≥]?(?:[$€£¥₹]\s?)?(?:\d{1,3}(?: \d{3})+(?!\w)|\d+)(?:[.,:/’'×x\u00a0\u202f–-]\d+)*"
    r"(?:[eE][-+−]?\d+\b|[\u00bc-\u00be\u2150-\u215e])?"
    rf"(?:\s?(?:{_UNIT})(?![\w/²³]))?|\d+(?:[.,]\d+)*",
    "footnote": r"\[\d{1,3}\]|(?<!\S):[a-z][a-z0-9_+-]+:(?!\S)",
    "symbol": "[\u00a2-\u00a7\u00a9\u00ac\u00ae-\u00b3\u00b5-\u00b7\u00b9\u00bc-\u00be\u00d7\u00f7\u2020-\u2022\u2030"
    "\u2031\u2070-\u20cf\u2100-\u218f\u2200-\u24ff\u2500-\u25ff\u27c0-\u27ef\u2900-\u2bff\u3200-\u33ff]+",
    "private": "[\ue000-\uf8ff\U000f0000-\U0010fffd]+",
}
# Whether a text may hold any of them, at a twentieth of the time. No pattern needs the punctuation of this class.
MAYBE = re.compile(
    r"[^\w\s.,!?'\"’“”‘‚„«»‹›–—…¿¡。、！？，：；・「」『』（）〜-]|[\d_]|[a-z][A-Z]|[\w.]\.[a-z]|(?<![\w-])--?[A-Za-z]"
    "|[²³¹µ¼-¾\u2070-\u218f\u2460-\u24ff\u2776-\u2793\u3200-\u33ff\ue000-\uf8ff\U0001f100-\U0001f10c]"
)


@cache
def any_pattern() -> re.Pattern[str]:
    """All patterns as one, with a group for each. Compiling it takes time that a program does not need to start."""
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in PATTERNS.items()))


# Plain words, a space after each. No pattern begins in them: none matches letters alone but iPhone, XD and Ctrl + C.
_PLAIN_WORDS = r"(?:(?:[A-ZÀ-ÖØ-Þ]?[a-zß-öø-ÿ]+(?:['’][a-z]+)?|[A-Z])[,.!?]?\s(?!\+))+"


@cache
def _after_plain_words() -> re.Pattern[str]:
    return re.compile(f"{_PLAIN_WORDS}|{any_pattern().pattern}")


def found_in(text: str, begin: int, end: int) -> Iterator[re.Match[str]]:
    """The matches of `any_pattern` in a part of a text, at 40% of the time: plain words are passed over at once."""
    return (match for match in _after_plain_words().finditer(text, begin, end) if match.lastgroup)


@cache
def around_markup() -> re.Pattern[str]:
    """What a document's own markup may stand in: tags of templates, and messages of ICU."""
    return re.compile(f"{PATTERNS['template']}|{PATTERNS['message']}")


# Emphasis around words, as Markdown and chats write it.
EMPHASIS = re.compile(
    r"(?<![\w*_~\\])(?P<mark>\*{1,3}|_{1,3}|~~)(?=[^\s*_~])(?P<words>[^\n]{1,500}?)(?<=[^\s*_~\\])(?P=mark)(?![\w*_~])"
)
# Marks before the first word of a line: of lists, headings and quotations. "1. Mai" is a date.
_ORDERED = r"(?:jan|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez|jahrhundert|weltkrieg|liga|platz|stock|klasse)"
LINE_MARK = re.compile(
    r"(?:(?:[-*+•·‣◦▪–—]|>+|#{1,6}|\[[ xX]\]|\[\d{1,3}\]|\(?(?:\d{1,2}|[A-Za-z])\)|[IVX]{2,5}\."
    rf"|\d{{1,3}}\.(?=[ \t]+[^\s\d])(?![ \t]+(?i:{_ORDERED})))[ \t]+)+"
)
# A link or a picture of Markdown.
LINK = re.compile(
    r"(?P<mark>!?\[)(?=[^\[\]\s])(?P<words>[^\[\]\n]{1,500})(?P<end>\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\))"
)
