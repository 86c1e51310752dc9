"""The headings below which a page only has comments, teasers or its author, in many languages.

As in `furniture`: lower case, between `|`; `phrase *` is a heading that begins so.
"""

from __future__ import annotations

COMMENTS = """
leave a comment *|leave a reply *|post a comment *|add a comment *|write a comment *|join the conversation *
join the discussion *|comments|comments:|comments ( *|comment|user comments|reader comments|show comments
view comments *|responses|kommentare|kommentare ( *|kommentare:|commentaires|commentaires ( *|comentarios
comentários|commenti|komentarze|komentarze ( *|reacties|kommentar hinterlassen *|kommentar schreiben *
kommentar verfassen *|schreibe einen kommentar *|hinterlasse einen kommentar *
schreiben sie einen kommentar *|laisser un commentaire *|laissez un commentaire *|deja un comentario *
deja una respuesta *|dejar una respuesta *|deixe um comentário *|deixe uma resposta *|lascia un commento *
dodaj komentarz *|geef een reactie *|оставить комментарий *|اترك تعليقا *|اترك تعليقاً *|اترك ردا *
اترك رداً *
"""
TEASERS = """
related stories *|related articles *|related posts *|related news *|related content *|related reading *
related topics *|related coverage *|related links *|similar stories *|similar articles *|similar posts *
recommended stories *|recommended articles *|recommended for you *|recommended reading *|more stories *
more articles *|more posts *|more news *|more from *|more like this *|more on this story *|recent stories *
recent articles *|recent posts *|recent comments *|latest stories *|latest articles *|latest posts *
latest news *|popular stories *|popular articles *|popular posts *|trending stories *|trending now *
you may also like *|you might also like *|you may like *|you might like *|you may also be interested *
you might be interested *|don't miss *|most read *|most popular *|most viewed *|what to read next *
from around the web *|editor's picks *|see also *|further reading *|read next *|up next
das könnte sie auch *|das könnte dich auch *|das könnte ihnen auch *|ähnliche artikel *|ähnliche beiträge *
weitere artikel *|weitere beiträge *|weitere themen *|weitere nachrichten *|weitere meldungen *
verwandte artikel *|verwandte beiträge *|verwandte themen *|mehr zum thema *|auch interessant *
meistgelesen *|neueste beiträge *|neueste artikel *|articles liés *|articles similaires *
articles connexes *|articles associés *|articles récents *|sur le même sujet *|sur le même thème *
vous aimerez aussi *|vous aimerez peut-être *|à lire aussi *|à lire également *|les plus lus *
dans la même rubrique *|artículos relacionados *|noticias relacionadas *|te puede interesar *|lo más leído *
entradas relacionadas *|artigos relacionados *|notícias relacionadas *|posts relacionados *
você pode gostar *|você também pode gostar *|mais lidas *|articoli correlati *|potrebbe interessarti *
potrebbero interessarti *|podobne artykuły *|podobne wpisy *|powiązane artykuły *|powiązane wpisy *
zobacz także *|zobacz również *|zobacz też *|przeczytaj także *|przeczytaj również *|polecamy *
może ci się *|gerelateerde artikelen *|gerelateerde berichten *|похожие статьи *|похожие записи *
читайте также *|مقالات ذات صلة *|مواضيع ذات صلة *|اقرأ أيضا *|اقرأ أيضًا *|اقرأ أيضاً *|関連記事 *
相关文章 *|相关阅读 *|相關文章 *
"""
AUTHORS = """
about the author *|about the authors *|about the writer *|written by *|author bio|author *|meet the author *
über den autor *|über die autorin *|über die autoren *|zum autor *|zur autorin *|zur person|autor *
à propos de l'auteur *|à propos de l’auteur *|l'auteur|sobre el autor *|sobre la autora *|acerca del autor *
sobre o autor *|sobre a autora *|informazioni sull'autore *|sull'autore *|l'autore|chi è l'autore *
over de auteur *|over de schrijver *|o autorze *|o autorce *|об авторе *|عن الكاتب *|عن الكاتبة *
عن المؤلف *
"""
