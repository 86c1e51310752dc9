"""What makes an answer of a language model unfit as a whole: links, markup, refusals, talk about the task.

Written for what models say in the languages of our readers. A sentence of an honest summary that looks like
one of these is lost; the article's own sentences stand in its place. Pure.
"""

from __future__ import annotations

import re

_ECHO = 5  # words in a row of our own prompt

_LINK = re.compile(
    r"https?:|hxxp|www\.|://|@\w|\w@|\b[a-z0-9-]{2,}\.[a-z]{2,12}(?:/|\b)|\bdot com\b", re.IGNORECASE
)
_MARKUP = re.compile(
    r"</?[a-z!]|<\||[<>‹›]{2}|&(?:#|[a-z]{2,8};)|\*\*|\*\w|__|`|\{\{|\{%|\]\(|^\s*(?:#|[-*•]\s|\d[.)]\s)",
    re.IGNORECASE | re.MULTILINE,
)

_REFUSED = """
i cannot|i can't|i can not|i am unable|i'm unable|i am not able|i'm not able|i won't|i'm sorry|i am sorry
sorry|i apologi[sz]e|unfortunately, i|as an ai|as a (?:large )?language model|as an assistant
ich kann|ich bin|es tut mir leid|tut mir leid|entschuldigung|leider kann ich|als ki|als sprachmodell
je ne peux|je suis|désolée?|je regrette|en tant qu'ia|en tant que modèle|malheureusement, je
no puedo|lo siento|soy un|como modelo|como una? ia|lamentablemente, no puedo
não posso|desculpe|sinto muito|lamento|sou um|como um modelo|como uma ia|não consigo
non posso|mi dispiace|mi spiace|sono un|come modello|in quanto ia
ik kan|het spijt me|als ai|als taalmodel|helaas kan ik
nie mogę|przepraszam|przykro mi|jako model|jako ai|jestem modelem|niestety nie mogę
jag kan|tyvärr|förlåt|som ai|som en språkmodell
я не могу|извините|простите|к сожалению, я|как ии|как языковая модель|я не можу|вибачте
tôi không thể|xin lỗi|rất tiếc|là một mô hình|üzgünüm|maalesef|bir yapay zeka|özür dilerim
我无法|我不能|抱歉|对不起|很抱歉|作为一个|作为ai|作為|無法|申し訳|すみません|私は|죄송|저는
لا أستطيع|لا يمكنني|آسف|عذرا|أعتذر|كنموذج|मैं नहीं|क्षमा करें|माफ
"""
_ABOUT_THE_TASK = """
here is|here's|here are|below is|in summary|summary|to summari[sz]e|sure|certainly|of course|note:|let me
i have|i've|i will|i'll|as instructed|as requested|per your|according to the (?:article|text|instructions)
you (?:should|must|can)|please|dear
the (?:article|text|passage|author|piece|story) (?:says|discusses|describes|is about|talks|reports|states)
the (?:article|text|passage|author|piece|story) (?:explains|covers|mentions|provides)
this (?:is a summary|article|text|passage|piece)
hier ist|hier die|hier eine|zusammenfassung|dieser artikel|dieser text|gerne|natürlich|in diesem artikel|bitte
der (?:artikel|text) (?:beschreibt|behandelt|handelt|berichtet)
voici|résumé|en résumé|cet article|ce texte|l'article|bien sûr
aquí|resumen|este artículo|este texto|el artículo|claro|por supuesto|aqui está|resumo|este artigo|o artigo
ecco|riassunto|riepilogo|questo articolo|hier is|samenvatting|dit artikel|het artikel
oto|podsumowanie|streszczenie|ten artykuł|artykuł|här är|sammanfattning|denna artikel
вот|краткое|резюме|в статье|эта статья|статья|đây là|tóm tắt|bài (?:báo|viết)
以下|摘要|总结|總結|本文|这篇文章|這篇文章|文章|要約|この記事|요약|이 기사|ملخص|فيما يلي|إليك
"""

_ADDRESSED = """
(?:buy|click|visit|order|call|send|pay|invest|download|subscribe|sign up|contact|join|tap|scan|hurry|register)
kaufen sie|klicken sie|besuchen sie|bestellen sie|rufen sie|melden sie sich|jetzt kaufen
achetez|cliquez|visitez|commandez|appelez|inscrivez-vous|compre|haga clic|haz clic|visite|llame|clique|acesse
compra|acquista|clicca|visita|chiama|iscriviti|koop|klik|bezoek|bestel|kup|kliknij|odwiedź|zamów|zadzwoń
купите|нажмите|посетите|закажите|позвоните|点击|点擊|购买|訪問|访问|今すぐ|اشتر|انقر|اضغط
"""


def _openings(lines: str) -> re.Pattern[str]:
    """Phrases at the beginning of a sentence."""
    phrases = lines.strip().replace("\n", "|")
    return re.compile(rf"[\W_]*(?:{phrases})(?![a-zà-ɏа-я])", re.IGNORECASE)


_REFUSAL, _META, _APPEAL = _openings(_REFUSED), _openings(_ABOUT_THE_TASK), _openings(_ADDRESSED)
_ANYWHERE = re.compile(
    r"\b(?:ignor(?:e|ing|iere)|disregard|forget)\b[^.]{0,40}(?:instruct|prompt|rules?\b|anweisung|consigne)"
    r"|system ?prompt|\bas an ai\b|\b(?:my|your|these|previous|prior) instructions|between the markers"
    r"|\bignora[^.]{0,30}instruc|忽略.{0,10}指(?:令|示)|指示を無視",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def unfit(answer: str, sentences: list[str], prompt: str, source: str) -> str:
    """Why no sentence of it may be used; "" when that is not so."""
    if _LINK.search(answer):
        return "it has a link in it"
    if _MARKUP.search(answer):
        return "it has markup in it"
    plain = [sentence.replace("’", "'") for sentence in sentences]
    if any(map(_REFUSAL.match, plain)):
        return "the model would not do it, or speaks of itself"
    if _ANYWHERE.search(answer) or any(map(_META.match, plain)):
        return "the model talks about its task"
    if any(map(_APPEAL.match, plain)):
        return "it tells the reader what to do"
    if _shingles(answer) & (_shingles(prompt) - _shingles(source)):
        return "it repeats what we told the model to do"
    return ""


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return {tuple(words[place : place + _ECHO]) for place in range(len(words) - _ECHO + 1)}
