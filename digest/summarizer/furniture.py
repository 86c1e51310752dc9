"""The words of page furniture in many languages: what stands around articles and never belongs to one.

Phrases stand in lower case between `|`; `phrase *` is a line that begins so and goes on; `phrase ~` is one,
too, unless it is a sentence that tells something (`Recent comments by the minister …`). Add what you meet;
lines over the length limits of `boilerplate` are never judged.
"""

from __future__ import annotations

# Lines that are nothing but a place to share to, an action, a field of a form, a way around the page.
WORDS = """
inhaltsverzeichnis|inhalt|table des matières|sommaire|índice|spis treści|inhoudsopgave|originalpublikation
bildergalerie|share|tweet|pin|pin it|email|e-mail|mail|print|whatsapp|facebook|twitter|x|linkedin|pinterest
reddit|telegram|tumblr|pocket|flipboard|messenger|viber|xing|mastodon|bluesky|threads|instagram|youtube
tiktok|copy|copy link|copy url|link copied|save|bookmark|google+|google plus|stumbleupon|digg|rss|sms|skype
line|vk|ok|gmail|like|likes|love|follow|followers|more|less|pdf|url|teilen|twittern|mailen|drucken|merken
partager|imprimer|envoyer|tweeter|compartir|imprimir|enviar|compartilhar|condividi|stampa|udostępnij|drukuj
wyślij|delen|dela|del|skriv ut|поделиться|مشاركة|شارك|طباعة|シェア|分享|공유|chia sẻ|paylaş|comment|comments
no comments|no comments yet|post comment|submit comment|cancel reply|cancel|reply|submit|add comment|sort by
view comments|view all comments|show comments|hide comments|load comments|load more|comments closed
comments are closed|comments off|be the first to comment|join the conversation|join the discussion
leave a comment|leave a reply|post a comment|write a comment|name|name *|email *|website|comment *
website url|your name|your email|your comment|message|subject|phone|kommentar|kommentare|kommentieren
commentaire|commentaires|comentario|comentarios|comentário|comentários|commento|commenti|komentarz
komentarze|reactie|reacties|antworten|répondre|responder|rispondi|odpowiedz|kommentare anzeigen
kommentare lesen|alle kommentare|kommentare ein-/ausblenden|réagir|réactions|commenter|opinie|menu|search
home|homepage|login|log in|sign in|sign up|register|subscribe|subscribe now|donate|contact|contact us|about
about us|help|faq|sitemap|archive|archives|advertisement|advertisements|advertising|ad|ads|sponsored
sponsored content|sponsored links|promoted|anzeige|anzeigen|werbung|publicité|publicidad|publicidade
pubblicità|reklama|reklam|advertentie|annons|реклама|إعلان|广告|廣告|広告|quảng cáo|close|next|previous|prev
back|loading|loading...|play|play video|pause|mute|unmute|watch|watch now|watch video|view gallery|gallery
photo gallery|photos|photo|video|videos|caption|hide caption|toggle caption|enlarge|enlarge image
enlarge this image|expand|click to expand|tap to unmute|transcript|listen|older posts|newer posts|older
newer|top|scroll to top|back to top|go to top|return to top|to top|jump to content|skip to content
skip to main content|skip to navigation|back to home|back to homepage|top of page|top of the page|page top
nach oben|zum seitenanfang|zum anfang|seitenanfang|zurück|zurück zur übersicht|zurück zur startseite
zum inhalt|zum inhalt springen|startseite|zur startseite|suche|weiter|mehr|übersicht|schließen|anmelden
abonnieren|newsletter|impressum|datenschutz|datenschutzerklärung|kontakt|agb|haut de page|haut de la page
retour en haut|retour à l'accueil|retour à la liste|retour|aller au contenu|accueil|suite|fermer|précédent
suivant|s'abonner|connexion|mentions légales|plan du site|rechercher|volver arriba|ir arriba|subir
saltar al contenido|inicio|siguiente|anterior|cerrar|buscar|suscríbete|aviso legal|voltar ao topo
pular para o conteúdo|início|próximo|fechar|torna su|torna all'inizio|vai al contenuto|chiudi|successivo
precedente|do góry|na górę|wróć|powrót|dalej|wstecz|szukaj|strona główna|naar boven|terug|ga naar de inhoud
volgende|vorige|наверх|вверх|إلى الأعلى|العودة إلى الأعلى|ページトップへ|返回顶部|回到顶部|read more
see more|learn more|find out more|view more|discover more|show more|view all|see all|show all|read also
also read|read next|up next|read full story|read full article|full story|click here|more info
more information|details|weiterlesen|mehr lesen|mehr erfahren|mehr dazu|mehr infos|mehr zum thema|zum thema
siehe auch|lesen sie auch|auch interessant|themen|lire la suite|lire aussi|à lire aussi|à lire également
à lire|voir aussi|en savoir plus|pour aller plus loin|sur le même sujet|sur le même thème
dans la même rubrique|plus de sujets|leer más|ver más|más información|te puede interesar|lo más leído
lo más visto|seguir leyendo|leia mais|leia também|veja também|saiba mais|mais lidas|leggi anche|leggi tutto
vedi anche|i più letti|czytaj dalej|czytaj także|czytaj też|czytaj również|czytaj więcej|zobacz także
zobacz też|zobacz również|polecamy|przeczytaj także|najczęściej czytane|najnowsze|więcej|lees meer|lees ook
lees verder|meest gelezen|läs mer|läs också|les også|læs også|читайте также|читать далее|по теме|اقرأ المزيد
اقرأ أيضا|اقرأ أيضًا|اقرأ أيضاً|مقالات ذات صلة|مواضيع ذات صلة|関連記事|相关文章|相关阅读|相关新闻|相關文章
相關新聞|xem thêm|tin liên quan|đọc thêm|ilgili haberler|don't miss|don't miss this|must read|must reads
most read|most read this week|most popular|more from|most viewed|most recent|trending|trending now
trending stories|editor's pick|editor's picks|editors' picks|recommended|recommended for you|related
related links|related topics|related content|related coverage|related video|related videos|featured
what to read next|from our partners|from around the web|around the web|more for you|in this article
in this story|table of contents|contents|explore more|further reading|references|notes|popular|latest
latest news|news|breaking news|top stories|in focus|see also|by the numbers|key points|tag|tags|topics|topic
categories|category|filed under|labels|keywords|schlagwörter|schlagworte|stichworte|kategorien|etiquetas
étiquettes|mots-clés|mots clés|tagi|słowa kluczowe|temas|argomenti|trefwoorden|rubrik|about the author
about the authors|author|authors|über den autor|à propos de l'auteur|sobre el autor|sobre o autor|o autorze
permalink|trackback|trackbacks|pingback|edit|report|report abuse|flag|rss feed|permanent link|quote|upvote
downvote|hide|show|on|off|yes|no|submit feedback|feedback|rate this|rate this article|vote|votes|views
all rights reserved|copyright|disclaimer|privacy|privacy policy|cookie policy|terms|terms of use
terms of service|terms and conditions|accept|accept all|accept cookies|reject all|got it|i agree
only necessary|manage cookies|cookie settings
"""

# Lines that begin so, however they go on (up to the length limit).
BEGINNINGS = """
enjoying this *|enjoyed this ~|help us keep ~|we rely on readers *|we depend on readers *
this work is funded by *|have a question or comment *|if you purchase ~|if you buy something *
if you click a link *|as an amazon associate *|sign in to ~|log in to ~|view this post on *
a post shared by *|photograph by *|photography by *|follow @ *|download the ~|to comment on this ~
to leave a comment ~|be the first to ~|was this article helpful *|was this helpful *|did you find this *
thanks for your feedback *|report a typo *|spotted an error *|spotted a mistake *|see an error *
save for later ~|listen to this article *|listen to this story *|newer post *|older post *|published in ~
like this: *|tagged under *|tagged as *|be sociable ~|customer reviews ~|jump to recipe *|pin recipe *
print recipe *|did you make this *|thank you for your support *|want to read more? *|you have reached your ~
you've reached your ~|you have read your *|we and our partners ~|manage preferences *|manage consent ~
your browser is ~|rate this ~|sie haben bereits ein *|haben sie schon ein *|bitte melden sie sich an *
bitte anmelden ~|bitte logge dich *|du musst angemeldet sein *|sie müssen angemeldet sein *
dieser beitrag wurde unter *|dieser beitrag wurde am *|dieser eintrag wurde *|setze ein lesezeichen *
bookmarken sie *|schlagwort: *|verschlagwortet mit *|abgelegt unter ~|mit unserem newsletter ~
hat ihnen der *|hat ihnen dieser *|hat dir der *|hat dir dieser *|artikel merken *|artikel kommentieren *
artikel anhören *|artikel vorlesen *|artikel teilen *|mehr nachrichten ~|symbolfoto ~|archivfoto ~
empfohlener externer inhalt *|empfohlener redaktioneller inhalt *|an dieser stelle finden sie *
an dieser stelle steht ein ~|ich bin damit einverstanden *|externen inhalt *|externe inhalte ~
mit dem laden des ~|mit dem laden der ~|mit dem klick ~|dieser inhalt ist nur *
dieser artikel ist exklusiv *|zum weiterlesen *|war dieser artikel hilfreich ~|fehler entdeckt? *
fehler gefunden? *|cet article est réservé *|cet article réservé *|article réservé *|il vous reste ~
la suite est réservée *|la suite de cet article *|vous êtes déjà abonné *|déjà abonné ? *|déjà abonné? *
ce contenu est bloqué *|ce contenu est réservé *|j'aime chargement *|j'aime ça ~|identifiez-vous *
réagissez ~|soyez le premier ~|signaler une erreur *|me gusta esto *|publicado por ~|archivado en *
contenido exclusivo ~|solo para suscriptores *|inicia sesión *|inicie sesión *|sé el primero ~
ha llegado al límite *|condividi questo *|condividi l'articolo *|commenta per primo *
lascia una recensione *|segui la ~|segui il ~|segui su ~|segui @ *|potrebbe anche ~|contenuto riservato *
accedi per *|riproduzione riservata *|faça seu login *|faça login *|seja o primeiro ~|clique e participe *
conteúdo exclusivo ~|reageer ~|plaats als eerste *|blijf op de hoogte ~|log in om *|alleen voor abonnees *
artykuł pochodzi z *|artykuł dostępny *|treść dostępna *|bądź pierwszy ~|zaloguj się, *|مواضيع متعلقة *
أخبار متعلقة *|كن أول من ~|نسخ الرابط *|حمل التطبيق *|حمّل التطبيق *|اشترك الآن *|abbildung ~|figure ~
fig. ~|copyright ~|tags ~|powered by *|proudly powered by *|mit stolz präsentiert *|fièrement propulsé *
propulsé par *|funciona gracias a *|orgulhosamente mantido *|mogelijk gemaakt door *|dumnie wspierane *
dumnie wspierany *|بدعم من ووردبريس *|thanks for reading *|thank you for reading ~|danke fürs lesen *
danke, dass sie ~|merci de votre lecture *|gracias por leer *|grazie per aver letto *|obrigado por ler *
bedankt voor het lezen *|we value your privacy *|your privacy ~|wir schätzen ihre *|ihre privatsphäre ~
votre vie privée ~|nous respectons votre *|valoramos su *|valoramos tu *|su privacidad ~|tu privacidad ~
la tua privacy *|teniamo alla tua *|valorizamos a sua *|sua privacidade ~|wij waarderen uw *|uw privacy ~
jouw privacy ~|szanujemy twoją *|twoja prywatność *|cenimy twoją *|نحن نقدر خصوصيتك *|نقدر خصوصيتك *
نستخدم ملفات تعريف *|يستخدم هذا الموقع ~|هذا الموقع يستخدم *|احفظ اسمي *|أرسل إلى صديق *|وسوم: *
التصنيفات: *|التصنيف: *|المقال السابق *|المقال التالي *|المقالة السابقة *|المقالة التالية *|شاهد أيضا *
شاهد أيضاً *|قد يعجبك ~|قد يهمك ~|موضوعات ذات صلة *|أخبار ذات صلة *|انقر للمشاركة *|مشاركة عبر *
مشاركة على *|شارك على ~|طباعة المقال *|شارك عبر ~|شاركها *|اشترك في نشرتنا *|احصل على آخر ~|سياسة الخصوصية *
شروط الاستخدام *|كتب: *|كتبت: *|klick, um ~|klicken, um *|klicke, um *|cliquez pour ~|haz clic para *
haga clic para *|fai clic per *|clicca per *|clique para *|klik om *|kliknij, aby *|kliknij aby *
email a link *|email to a friend *|e-mail to a friend *|send to a friend *|an einen freund ~|einem freund ~
envoyer à un ami *|enviar a un amigo *|enviar por correo ~|enviar por e-mail ~|enviar para um amigo *
invia a un amico *|invia per email *|stampa questo *|stampa articolo *|imprimir este *|imprimir esta *
print dit *|e-mail dit *|wydrukuj ~|wyślij znajomemu *|wyślij e-mailem *|post anterior *|próximo post *
post seguinte *|artigo anterior *|próximo artigo *|articolo precedente *|articolo successivo *
prossimo articolo *|vorig bericht *|volgend bericht *|vorig artikel *|volgend artikel *|misschien vind je *
misschien ook interessant *|dit vind je misschien *|meer uit ~|meer over ~|meer van ~|salva il mio nome *
questo sito usa akismet *|este sitio usa akismet *|este site utiliza o akismet *|este site usa o akismet *
deze site gebruikt akismet *|ta strona używa akismet *|mijn naam, e-mail *|apóyanos *|sostienici *
steun ons *|wesprzyj nas *|apoie o jornalismo *|apoie-nos *|ادعمنا *|bedankt dat ~|ti è piaciuto? *
¿te ha gustado *|¿te gustó *|gefällt ihnen dieser *|gefällt dir dieser *|cet article vous a *
vous avez aimé cet *|gostou? *|gostou do *|vond je dit *|vond u dit *|podobało się? *|spodobało się? *
spodobał ci się *|هل أعجبك *|like this? *|enjoyed this *|did you like this *|did you enjoy this *
publicado en ~|publicado em ~|publié dans ~|pubblicato in ~|geplaatst in ~|opublikowano w ~
veröffentlicht in ~|veröffentlicht unter ~|categorieën: *|kategorie: *|categorías: *|categorias: *
categorie: *|informativa sulla privacy *|política de privacidad ~|política de privacidade ~
politique de confidentialité ~|polityka prywatności ~|privacybeleid ~|note legali ~|termos de uso *
algemene voorwaarden ~|regulamin ~|compártelo *|compartilhe isso *|condividilo *|kommentare insgesamt *
beiträge aus dem forum *|unterstütze ~|unterstützen sie ~|submit your letter *|for the latest stories *
for the latest news *|this article is only available *|dieser artikel ist ursprünglich *
dieser artikel ist zuerst *|dieser artikel erschien *|dieser beitrag erschien *|dieser text erschien *
cet article a été publié *|este artículo fue publicado *|dieser artikel ist ~|pressekontakt *|share this *
share on *|share via *|share with *|share to *|share: *|sharing is caring *|click to share *
click to email *|click to print *|email this *|e-mail this *|print this *|save this ~|tweet this *
pin this *|post to *|beitrag teilen *|seite teilen *|diesen artikel ~|diesen beitrag ~|auf facebook ~
auf twitter ~|teilen auf *|teilen: *|teilen sie ~|seite drucken *|artikel drucken *|artikel bewerten *
per mail ~|partager sur ~|partager cet *|partager l'article *|partager : *|partagez ~|envoyer par ~
envoyer à ~|imprimer cet *|compartir en ~|compartir por ~|compartir esto *|comparte esto *|comparte en ~
compartilhe ~|compartilhar ~|condividi su ~|condividi: *|udostępnij ~|podziel się ~|deel dit ~|deel deze ~
deel via ~|deel op ~|del på ~|leave a comment *|leave a reply *|leave your comment *|post a comment *
add a comment *|add your comment *|write a comment *|submit a comment *|make a comment ~|leave a response *
join the conversation *|join the discussion *|your email address will not be *
your e-mail address will not be *|required fields are marked *|save my name *|save my info *|notify me of *
notify me when *|this site uses akismet *|learn how your comment data *|you must be logged in *
you must be registered *|you need to be logged in *|please log in ~|log in to leave *|log in to post *
login to post *|log in or register *|sign in to comment *|comments are closed *|comments are moderated *
commenting is *|view comments *|all comments *|posting as *|tell us what you think *|what do you think?
have your say *|let us know in the comments *|kommentar hinterlassen *|kommentar schreiben *
kommentar verfassen *|kommentar abgeben *|kommentar hinzufügen *|kommentar abschicken *
antwort hinterlassen *|antwort verfassen *|antwort abbrechen *|schreibe einen kommentar *
schreiben sie einen kommentar *|hinterlasse einen kommentar *|hinterlassen sie einen kommentar *
hinterlasse eine antwort *|ihre meinung ~|deine e-mail-adresse wird *|ihre e-mail-adresse wird *
die e-mail-adresse wird *|erforderliche felder *|pflichtfelder *|meinen namen, meine e-mail *
benachrichtige mich *|diese website verwendet akismet *|kommentare zu ~|kommentare geschlossen ~
noch keine kommentare *|keine kommentare *|zum artikel ~|laisser un commentaire *|laissez un commentaire *
écrire un commentaire *|ajouter un commentaire *|poster un commentaire *|publier un commentaire *
déposer un commentaire *|votre commentaire ~|votre adresse e-mail ne sera *|votre adresse email ne sera *
votre adresse de messagerie ne sera *|les champs obligatoires *|prévenez-moi *|enregistrer mon nom *
ce site utilise akismet *|vous devez être connecté *|connectez-vous pour *|aucun commentaire *
avez-vous apprécié *|deja un comentario *|dejar un comentario *|deja una respuesta *|dejar una respuesta *
deja tu comentario *|tu dirección de correo electrónico no *|los campos obligatorios *
los campos necesarios *|guarda mi nombre *|cancelar la respuesta *|deixe um comentário *
deixe uma resposta *|deixe seu comentário *|o seu endereço de e-mail não *|o seu endereço de email não *
seu endereço de e-mail não *|campos obrigatórios *|salvar meus dados *|lascia un commento *
scrivi un commento *|lascia una risposta *|il tuo indirizzo email non *|i campi obbligatori *
do il mio consenso *|dodaj komentarz *|napisz komentarz *|zostaw komentarz *|dodaj odpowiedź *
zostaw odpowiedź *|skomentuj ~|twój adres email nie *|twój adres e-mail nie *|pola, których *
wymagane pola *|pola wymagane *|zapamiętaj moje dane *|zaloguj się ~|geef een reactie *|laat een reactie *
plaats een reactie *|het e-mailadres wordt *|je e-mailadres wordt *|vereiste velden *|оставить комментарий *
добавить комментарий *|ваш адрес email не *|ваш e-mail не *|обязательные поля *|اترك تعليقا *|اترك تعليقاً *
اترك ردا *|اترك رداً *|أضف تعليقا *|لن يتم نشر عنوان بريدك *|الحقول الإلزامية *|bir yorum yazın *
yorum yap *|e-posta adresiniz *|コメントを残す *|メールアドレスが公開 *|发表评论 *|發表評論 *|发表回复 *
您的邮箱地址不会 *|previous article ~|previous post *|previous story ~|previous: *|next article ~
next post *|next story ~|next: *|older article *|newer article *|vorheriger beitrag *|nächster beitrag *
vorheriger artikel *|nächster artikel *|article précédent *|article suivant *|poprzedni wpis *
następny wpis *|poprzedni artykuł *|następny artykuł *|entrada anterior *|entrada siguiente *
artículo anterior *|siguiente artículo *|page 1 of *|read more: *|read more about *|read more on *
read more at *|read more from *|read also: *|read next: *|read the full *|read the rest *|read this next ~
read full *|read: *|see more: *|see also: *|see also *|also read: *|also read *|also see *|must read: *
don't miss: *|don't miss ~|more: *|more from ~|more on this ~|more on: *|more about this ~|more in ~
more stories ~|more news ~|more articles ~|more posts ~|related: *|related stories ~|related articles ~
related article: *|related posts ~|related reading ~|related news ~|related story: *|recommended: *
recommended reading ~|further reading: *|further reading ~|keep reading ~|continue reading *|watch: *
watch more ~|watch the video ~|listen: *|click here to *|click here for *|click for *|tap here *|up next: *
trending: *|most read: *|for more on *|for more information *|for more, *|find out more *|learn more *
see the full *|view the full *|view more *|view all *|show all *|similar stories ~|similar articles ~
similar posts ~|recent posts ~|recent articles ~|recent stories ~|recent comments ~|recent news ~
latest news ~|latest stories ~|latest articles ~|latest posts ~|popular posts ~|popular articles ~
popular stories ~|trending stories ~|trending news ~|featured stories ~|top stories ~|other stories ~
other articles ~|other news ~|you may also like *|you might also like *|you may like *|you might like *
you may also be interested *|you might be interested *|you may enjoy *|if you liked this *
if you enjoyed this *|like this article? *|enjoyed this article? *|have a tip? *|got a tip? *
have a story? *|got a story *|have you got a *|in other news ~|explore more ~|what to read next *
all you need to know ~|lesen sie auch *|lesen sie mehr *|lesen sie hier *|lesen sie dazu *
lesen sie weiter *|lesen sie: *|lesen sie die *|lesen sie unsere *|lesen sie den *|auch interessant ~
mehr zum thema ~|mehr dazu ~|mehr lesen ~|mehr erfahren ~|mehr aus ~|mehr artikel ~|mehr infos ~
mehr informationen ~|mehr: *|weiterlesen *|weitere artikel ~|weitere beiträge ~|weitere themen ~
weitere meldungen ~|weitere nachrichten ~|weitere informationen ~|weitere infos ~|weitere links ~
zum thema: *|siehe auch *|das könnte sie ~|das könnte dich ~|das könnte ihnen ~|das könnte auch ~
ähnliche artikel ~|ähnliche beiträge ~|verwandte artikel ~|verwandte beiträge ~|verwandte themen ~
meistgelesen *|neueste artikel ~|neueste beiträge ~|neueste kommentare ~|passend zum thema ~|lies auch *
lies mehr *|hier geht es zu ~|hier geht's zu ~|lire aussi *|lire la suite *|lire également *|lire plus ~
lire l'article *|à lire aussi *|à lire également *|à lire sur *|à lire : *|voir aussi *|voir également *
voir plus ~|articles liés *|articles similaires *|articles connexes *|articles associés *|articles récents ~
sur le même sujet ~|sur le même thème ~|vous aimerez aussi *|vous aimerez peut-être *|vous pourriez aussi *
cela pourrait vous *|les plus lus *|les plus partagés *|en savoir plus *|pour en savoir plus *
pour aller plus loin *|dans la même rubrique *|plus d'infos ~|plus d'informations ~|retrouvez ~|leer más *
lea también *|lee también *|leer también *|te puede interesar *|también te puede *|le puede interesar ~
quizás te interese *|artículo relacionado *|artículos relacionados *|noticias relacionadas *
entradas relacionadas *|temas relacionados *|lo más leído ~|lo más visto ~|más información ~|más noticias ~
ver más ~|ver también *|seguir leyendo *|leia mais *|leia também *|leia a ~|veja mais *|veja também *
você pode gostar *|você também pode *|você pode se interessar *|artigos relacionados *
notícias relacionadas *|posts relacionados *|mais lidas ~|saiba mais *|continue lendo *|clique aqui *
leggi anche *|leggi tutto *|leggi di più *|potrebbe interessarti *|ti potrebbe interessare *
potrebbero interessarti *|articoli correlati *|i più letti *|vedi anche *|approfondisci ~|czytaj także *
czytaj też *|czytaj również *|czytaj więcej *|czytaj dalej *|zobacz także *|zobacz też *|zobacz również *
zobacz więcej *|przeczytaj także *|przeczytaj też *|przeczytaj również *|polecamy ~|polecane *
podobne artykuły *|podobne wpisy *|powiązane artykuły *|powiązane wpisy *|powiązane tematy *|może ci się *
mogą cię zainteresować *|najczęściej czytane *|warto przeczytać ~|sprawdź też *|sprawdź także *
sprawdź również *|więcej na ten temat ~|więcej informacji ~|inne artykuły *|lees ook *|lees meer *
lees verder *|gerelateerde artikelen *|gerelateerde berichten *|meest gelezen ~|läs också *|läs mer *
läs även *|les også *|læs også *|relaterade artiklar *|читайте также *|читать далее *|похожие статьи *
похожие записи *|اقرأ أيضا *|اقرأ أيضًا *|اقرأ أيضاً *|اقرأ المزيد *|مقالات ذات صلة *|مواضيع ذات صلة *
ilgili haberler *|ilgili yazılar *|関連記事 *|相关文章 *|相关阅读 *|相關文章 *|xem thêm *|tin liên quan *
đọc thêm *|sign up for ~|sign up to get *|sign up to receive *|sign up to ~|sign up with ~|sign up now ~
sign up here ~|sign up today ~|sign up by ~|sign up and ~|subscribe to ~|subscribe for ~|subscribe now ~
subscribe here ~|subscribe today ~|subscribe via ~|subscribe with ~|register now ~|register for free ~
already a subscriber? *|already have an account? *|not a subscriber? *|not registered? *|become a member ~
become a subscriber ~|support our ~|support us ~|follow us ~|follow me on ~|follow the author ~|like us on ~
join us on ~|find us on ~|join our newsletter *|join our mailing *|join our community ~|join our telegram *
join our whatsapp *|enter your email *|get our newsletter *|get our daily ~|get our free ~|get the latest ~
get the day's ~|get more stories ~|get daily ~|get breaking news ~|get all the latest ~|get the best of ~
get access to ~|stay up to date ~|stay informed ~|stay in the know ~|don't miss a ~|never miss a ~
delivered to your inbox *|thank you for subscribing *|thanks for subscribing *|thanks for signing up *
download our app *|download the app ~|to receive ~|want more stories ~|want to stay ~|by signing up ~
by subscribing ~|by submitting ~|by clicking ~|by continuing ~|abonnieren sie *|abonniere *
jetzt abonnieren ~|newsletter abonnieren *|newsletter bestellen *|jetzt newsletter ~|zum newsletter *
melden sie sich *|jetzt anmelden ~|jetzt kostenlos ~|folgen sie uns *|folge uns *|folgt uns *
besuchen sie uns *|bleiben sie auf dem laufenden ~|abonnez-vous *|inscrivez-vous *|suivez-nous *|recevez ~
rejoignez-nous *|soutenez-nous *|suscríbete *|suscríbase *|síguenos *|síganos *|sigue a ~|regístrate ~
únete a ~|recibe ~|inscreva-se *|siga-nos *|siga o ~|assine ~|receba ~|cadastre-se *|iscriviti ~|seguici ~
abbonati ~|zapisz się ~|obserwuj nas *|śledź nas *|polub nas *|dołącz do ~|subskrybuj ~|schrijf je in *
volg ons ~|abonneer ~|meld je aan *|подписывайтесь *|подпишитесь *|اشترك في ~|تابعنا *|تابعونا *
we use cookies *|this site uses cookies *|this website uses cookies *|our site uses cookies *
our website uses cookies *|cookies help us ~|by using this site *|by using our *|wir verwenden cookies *
wir nutzen cookies *|wir setzen cookies *|diese website verwendet cookies *|diese website nutzt cookies *
diese seite verwendet cookies *|diese webseite verwendet cookies *|nous utilisons des cookies *
ce site utilise des cookies *|en poursuivant votre navigation *|utilizamos cookies *
este sitio utiliza cookies *|este sitio web utiliza cookies *|este site utiliza cookies *
este site usa cookies *|usamos cookies *|questo sito utilizza *|questo sito usa *|utilizziamo i cookie *
ta strona używa *|ta strona korzysta ~|strona korzysta ~|używamy plików cookie *|korzystamy z plików *
deze website gebruikt *|deze site gebruikt *|wij gebruiken cookies *|privacy policy ~|cookie policy ~
cookie settings *|terms of use ~|terms of service ~|terms and conditions ~|please enable javascript *
you need to enable javascript *|enable javascript *|javascript is disabled *|your browser does not support *
this content is not available ~|this video is not available *|this video can not be *|© *|(c) 20 *
all rights reserved *|alle rechte vorbehalten *|tous droits réservés *|todos los derechos reservados *
todos os direitos reservados *|tutti i diritti riservati *|wszelkie prawa zastrzeżone *
alle rechten voorbehouden *|this material may not be *|this content is copyrighted *|reproduction of this *
this article was originally *|this story was originally *|this post was originally ~
this article was first *|this story was first *|this article originally *|this story originally *
this article first appeared *|this story first appeared *|this article is republished *
originally published *|first published *|this article appeared *|this post may contain *
this post contains affiliate *|this page contains affiliate *|this article contains affiliate *
we may earn *|we earn a commission *|our standards: *|our journalism ~|the views expressed *
fact-checked by *|fact checked by *|edited by ~|reporting by ~|additional reporting by *|editing by ~
writing by ~|compiled by ~|reviewed by ~|medically reviewed *|story by: *|photo: *|photos: *|photo by *
photos by *|photograph: *|photographs: *|photo credit *|photo courtesy *|photo illustration *|image: *
images: *|image credit *|image credits *|image courtesy *|image source *|image picture: *|pictures: *
picture credit *|credit: *|credits: *|source: *|sources: *|via: *|illustration: *|illustration by ~|foto: *
fotos: *|foto von *|bild: *|bilder: *|bildquelle *|bildnachweis *|quelle: *|quellen: *|titelbild ~
symbolbild ~|archivbild ~|autor: *|autorin: *|text: *|von: *|redaktion: *|photo : *|photos : *
crédit photo *|crédits photo *|crédit : *|crédits : *|source : *|sources : *|auteur : *|auteur: *|par : *
imagen: *|fuente: *|fonte: *|foto di ~|foto por *|imagem: *|autore: *|autor : *|zdjęcie: *|zdjęcia: *|fot. *
fot: *|źródło: *|źródła: *|bron: *|beeld: *|tekst: *|фото: *|источник: *|автор: *|المصدر: *|الصورة: *|ảnh: *
nguồn: *|来源： *|来源: *|圖片來源 *|tags: *|tag: *|tagged: *|tagged with ~|tagged in ~|topics: *|topic: *
category: *|categories: *|filed under ~|posted in ~|posted under ~|labels: *|keywords: *|schlagwörter: *
schlagwörter ~|schlagworte: *|schlagworte ~|stichworte: *|stichwörter: *|kategorien: *|kategorie ~|rubrik: *
etiquetas: *|categoría: *|temas: *|étiquettes : *|mots-clés : *|mots clés : *|catégorie : *|catégories : *
tagi: *|słowa kluczowe: *|kategoria: *|categoria: *|trefwoorden: *|argomenti: *|теги: *|рубрики: *|الوسوم: *
story continues *|article continues *|advertisement *|this is an advertisement *|scroll down to ~|swipe to ~
click on the ~|hit play ~|loading ~|comments ( *|comments: *|comment ( *|kommentare ( *|views: *|visits: *
shares: *|votes: *|rating: *|tweets by *|reading time ~|lesezeit ~|temps de lecture *|tiempo de lectura *
tempo di lettura *|czas czytania *|zuletzt aktualisiert ~|last updated ~|last modified ~|updated: *
update: 20 *|published: *|posted: *|date: *|datum: *|stand: *
"""

# Lines that hold this anywhere.
ANYWHERE = """
to view the full story|you're already a subscriber|you are already a subscriber|subscribers also receive
das thema könnte dich|read the original article|rss-feed abonnieren|newsletter abonnieren|crédits photos
all comments are ~|this article is for subscribers|appeared first on|first appeared on|erschien zuerst auf
est apparu en premier sur|apareció primero en|aparece primero en|se publicó primero en|apareceu primeiro em
proviene da|pochodzi z serwisu|verscheen eerst op|أولاً على|أولا على ~|required fields are marked
sind mit * markiert|sind mit einem * markiert|address will not be published|all rights reserved
alle rechte vorbehalten|tous droits réservés|todos los derechos reservados|todos os direitos reservados
tutti i diritti riservati|wszelkie prawa zastrzeżone|все права защищены|جميع الحقوق محفوظة|版权所有
contributed to this report|contributed to this story|contributed to this article|follow her on twitter
follow him on twitter|follow them on twitter|follow us on ~|follow me on ~|subscribe to our ~
sign up for our ~|click to share ~|click here to ~|privacy policy ~|cookie policy ~
may not be published, broadcast|adresse wird nicht veröffentlicht|adresse e-mail ne sera pas publiée
messagerie ne sera pas publiée|correo electrónico no será publicad|e-mail não será publicad
email não será publicad|indirizzo email non sarà pubblicato|adres e-mail nie zostanie opublikowany
adres email nie zostanie opublikowany|mailadres wordt niet gepubliceerd|بريدك الإلكتروني|right in your inbox
to your inbox|in your inbox|is a reader-supported publication|wherever you get your podcasts
brought to you by ~|is sponsored by ~|überall, wo es podcasts gibt|newsletter to get
read or listen on the app|view this email in your browser
"""


def phrases(table: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in table.replace("\n", "|").split("|") if phrase.strip())
