"""The numbers that a text names, however they are written: 1,000 and 1.000 and 1 000, 2 million, seven, 5 %.

Where one way of writing can mean two numbers (`1.000`), both count. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal

_SPACES = " \u00a0\u2009\u202f"
_SEPARATORS = f".,'’٫٬{_SPACES}"
_CHAIN = re.compile(rf"(?<![a-z0-9_À-ɏЀ-ӿ])\d+(?:[{_SEPARATORS}:/]\d+)*", re.IGNORECASE)
_MOST_DIGITS = 25

_PERCENT = re.compile(
    r"\s?-?(?:%|٪|％|‰|percent\b|per cent\b|pct\b|prozent|pour ?cent|por ?ciento|por ?cento|per ?cento"
    r"|procent|процент|відсот|phần trăm)",
    re.IGNORECASE,
)
_SCALES: dict[str, tuple[int, ...]] = {
    "k": (1_000,), "thousand": (1_000,), "tausend": (1_000,), "tsd": (1_000,), "mille": (1_000,),
    "mil": (1_000,), "mila": (1_000,), "duizend": (1_000,), "tusen": (1_000,), "tys": (1_000,),
    "tysiąc": (1_000,), "tysiące": (1_000,), "tysięcy": (1_000,), "тыс": (1_000,), "тысяч": (1_000,),
    "тысячи": (1_000,), "тис": (1_000,), "nghìn": (1_000,), "ngàn": (1_000,), "bin": (1_000,),
    "m": (10**6,), "mn": (10**6,), "mln": (10**6,), "mio": (10**6,), "million": (10**6,),
    "millions": (10**6,), "millionen": (10**6,), "millón": (10**6,), "millones": (10**6,),
    "milhão": (10**6,), "milhões": (10**6,), "milione": (10**6,), "milioni": (10**6,), "miljoen": (10**6,),
    "miljon": (10**6,), "miljoner": (10**6,), "milion": (10**6,), "miliony": (10**6,), "milionów": (10**6,),
    "млн": (10**6,), "миллион": (10**6,), "миллиона": (10**6,), "миллионов": (10**6,), "milyon": (10**6,),
    "triệu": (10**6,), "мільйонів": (10**6,),
    "bn": (10**9,), "b": (10**9,), "mrd": (10**9,), "md": (10**9,), "mld": (10**9,),
    "milliarde": (10**9,), "milliarden": (10**9,), "milliard": (10**9,), "milliards": (10**9,),
    "miliardo": (10**9,), "miliardi": (10**9,), "miljard": (10**9,), "miljarder": (10**9,),
    "miliard": (10**9,), "miliardy": (10**9,), "miliardów": (10**9,), "bilhão": (10**9,), "bilhões": (10**9,),
    "млрд": (10**9,), "миллиард": (10**9,), "миллиарда": (10**9,), "миллиардов": (10**9,),
    "milyar": (10**9,), "tỷ": (10**9,), "tỉ": (10**9,),
    "billion": (10**9, 10**12), "billions": (10**9, 10**12), "billionen": (10**12,), "billón": (10**12,),
    "billones": (10**12,), "tn": (10**12,), "trillion": (10**12, 10**18), "trillions": (10**12,),
    "百": (100,), "千": (1_000,), "万": (10**4,), "萬": (10**4,), "만": (10**4,), "亿": (10**8,),
    "億": (10**8,), "억": (10**8,), "兆": (10**12,), "조": (10**12,), "百万": (10**6,), "千万": (10**7,),
    "लाख": (10**5,), "lakh": (10**5,), "करोड़": (10**7,), "crore": (10**7,),
    "ألف": (1_000,), "آلاف": (1_000,), "مليون": (10**6,), "مليار": (10**9,),
}  # fmt: skip
_ALSO_A_UNIT = frozenset(("m", "b", "k", "md", "mil", "bin"))
_SCALE = re.compile(
    rf"[\s-]?({'|'.join(sorted(map(re.escape, _SCALES), key=len, reverse=True))})"
    r"(?![^\W\d_\u3040-\u9fff\uac00-\ud7af])",
    re.IGNORECASE,
)

# 2 … 19, then 20, 30 … 100; without words that are others, too: French neuf and pour cent, Italian sei.
_WORDS = {
    "en": "two three four five six seven eight nine ten"
    " eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    " twenty thirty forty fifty sixty seventy eighty ninety hundred",
    "de": "zwei drei vier fünf sechs sieben acht neun zehn"
    " elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
    " zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert",
    "fr": "deux trois quatre cinq six sept huit - dix"
    " onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf"
    " vingt trente quarante cinquante soixante soixante-dix quatre-vingts quatre-vingt-dix -",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez"
    " once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve"
    " veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien",
    "it": "due tre quattro cinque - sette otto nove dieci"
    " undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove"
    " venti trenta quaranta cinquanta sessanta settanta ottanta novanta -",
    "pt": "dois três quatro cinco seis sete oito nove dez"
    " onze doze treze quatorze quinze dezesseis dezessete dezoito dezenove"
    " vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem",
    "nl": "twee drie vier vijf zes zeven acht negen tien"
    " elf twaalf dertien veertien vijftien zestien zeventien achttien negentien"
    " twintig dertig veertig vijftig zestig zeventig tachtig negentig honderd",
    "pl": "dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście"
    " dwanaście trzynaście czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście"
    " dwadzieścia trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt"
    " osiemdziesiąt dziewięćdziesiąt sto",
    "ru": "два три четыре пять шесть семь восемь девять десять одиннадцать"
    " двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
    " двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто сто",
    "sv": "två tre fyra fem sex sju åtta nio tio"
    " elva tolv tretton fjorton femton sexton sjutton arton nitton"
    " tjugo trettio fyrtio femtio sextio sjuttio åttio nittio hundra",
}
_MEANT = (*range(2, 20), *range(20, 101, 10))
_SPELLED = {
    language: {word: value for word, value in zip(line.split(), _MEANT, strict=True) if word != "-"}
    for language, line in _WORDS.items()
}
_GERMAN_PAIR = re.compile(r"(\w+?)und(\w+)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")

Number = tuple[Decimal, bool]
"""A value, and whether it is said to be a percentage."""


def claimed(text: str, language: str) -> Iterator[tuple[str, frozenset[Number]]]:
    """Each number that is named: as it is written, and what it means at first reading."""
    for written, readings in _found(text, language):
        yield written, readings[0]


def held(text: str, language: str) -> frozenset[Number]:
    """All numbers that a text holds, in every reading."""
    return frozenset(
        number for _, readings in _found(text, language) for reading in readings for number in reading
    )


def _found(text: str, language: str) -> Iterator[tuple[str, list[frozenset[Number]]]]:
    text = _ascii_digits(text)
    for found in _CHAIN.finditer(text):
        scale, percent = _after(text, found.end())
        readings = [
            frozenset((value, percent) for value in (*values[:-1], values[-1] * factor))
            for values in _readings(found[0])
            for factor in _factors(scale)
        ]
        yield " ".join(filter(None, (found[0], scale, "%" if percent else ""))), readings
    spelled = _SPELLED.get(language, {})
    for word in _WORD.finditer(text.lower()):
        value = _value(word[0], spelled)
        if value is not None:
            scale, percent = _after(text, word.end())
            yield word[0], [frozenset(((Decimal(value * factor), percent),)) for factor in _factors(scale)]


def _after(text: str, end: int) -> tuple[str, bool]:
    """What makes a number thousands, millions, or a percentage."""
    scale = _SCALE.match(text, end)
    return (scale[1] if scale else ""), bool(_PERCENT.match(text, scale.end() if scale else end))


def _ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join(str(unicodedata.digit(each)) if each.isdecimal() else each for each in text)


def _readings(written: str) -> Iterator[tuple[Decimal, ...]]:
    """What a chain of digits may mean; what it means to most people comes first."""
    parts = re.split(r"\D", written)
    marks = re.findall(r"\D", written)
    if not marks or len(written) > _MOST_DIGITS:
        yield (Decimal("".join(parts)),)
        return
    whole = False
    if (grouped := _grouped(parts, marks)) is not None:
        whole = True
        yield (grouped,)
    if (marks[-1] in ".,٫" and marks[-1] not in marks[:-1]) or _is_a_time(parts, marks):
        head = Decimal(parts[0]) if len(parts) == 2 else _grouped(parts[:-1], marks[:-1])
        if head is not None:
            whole = True
            yield (Decimal(f"{head:f}.{parts[-1]}"),)
    if not whole or set(marks) <= set(_SPACES):
        yield tuple(map(Decimal, parts))


def _grouped(parts: list[str], marks: list[str]) -> Decimal | None:
    """The number whose thousands are set apart by one mark, as in 1.234.567; or in India, 12,34,567."""
    if len(set(marks)) != 1 or marks[0] in ":/٫" or not 1 <= len(parts[0]) <= 3 or parts[0].startswith("0"):
        return None
    inner = {len(part) for part in parts[1:-1]}
    if len(parts[-1]) == 3 and (inner <= {3} or (inner == {2} and marks[0] == ",")):
        return Decimal("".join(parts))
    return None


def _is_a_time(parts: list[str], marks: list[str]) -> bool:
    """10:30, which others write 10.30: both are read as the latter."""
    return marks == [":"] and len(parts[1]) == 2 and int(parts[0]) < 25 and int(parts[1]) < 60


def _factors(scale: str) -> tuple[int, ...]:
    scale = scale.lower()
    return (*_SCALES.get(scale, (1,)), *((1,) if scale in _ALSO_A_UNIT else ()))


def _value(word: str, spelled: dict[str, int]) -> int | None:
    """Of `seven`, `twenty-five`, `fünfundzwanzig`."""
    if word in spelled:
        return spelled[word]
    tens, hyphen, ones = word.partition("-")
    if hyphen and spelled.get(tens, 0) in range(20, 100, 10) and spelled.get(ones, 10) < 10:
        return spelled[tens] + spelled[ones]
    pair = _GERMAN_PAIR.fullmatch(word) if "zwei" in spelled else None
    if pair and spelled.get(pair[2], 0) in range(20, 100, 10):
        return spelled[pair[2]] + (1 if pair[1] == "ein" else spelled.get(pair[1], 0))
    return None
